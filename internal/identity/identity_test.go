package identity_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/identity"
)

var (
	now  = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	team = identity.Key{
		Name: "ci", Role: identity.Deploy, Namespaces: []identity.Pattern{"teama", "teamb-*"}, Created: now, Expires: now.Add(time.Hour),
	}
)

func TestATokenIsThatOfItsKeyAlone(t *testing.T) {
	key, token := identity.New(team)
	other, otherToken := identity.New(team)
	ring := identity.NewKeyring()
	wantFound := func(token string, at time.Time, want error) {
		t.Helper()
		got, err := ring.Find(token, at)
		if !errors.Is(err, want) || err == nil && got.ID != key.ID {
			t.Errorf("%q is found as %+v, %v, want %v", token, got, err, want)
		}
	}
	wantFound(token, now, identity.ErrUnknown)
	ring.Set([]identity.Key{key})
	wantFound(token, now, nil)
	wantFound(token, now.Add(time.Hour-1), nil)
	wantFound(token, now.Add(time.Hour), identity.ErrExpired)
	wantFound(otherToken, now, identity.ErrUnknown)
	for _, forged := range []string{
		"", "fn_", token[1:], token[:len(token)-1], token + "A", token + " ", " " + token, strings.ToLower(token),
		strings.Replace(token, "_"+token[20:21], "-"+token[20:21], 1), "fn_" + other.ID + token[19:],
		token[:20] + flipped(token[20:21]) + token[21:], token[:len(token)-1] + flipped(token[len(token)-1:]),
		token + "\n" + token, strings.Repeat("A", 53), "fn_" + strings.Repeat("A", 50),
	} {
		wantFound(forged, now, identity.ErrUnknown)
	}
	ring.Set([]identity.Key{other})
	wantFound(token, now, identity.ErrUnknown)
}

func flipped(letter string) string {
	if letter == "A" {
		return "B"
	}
	return "A"
}

func TestTheServersOwnKeysAreAlwaysThere(t *testing.T) {
	_, token := identity.New(team)
	own, ok := identity.Of(token, "admin", identity.Admin)
	if !ok || own.Check() != nil {
		t.Fatalf("%q is no token: %v", token, own.Check())
	}
	ring := identity.NewKeyring(own)
	ring.Set(nil)
	if found, err := ring.Find(token, now); err != nil || !found.May(identity.Admin, "any") {
		t.Errorf("found %+v, %v", found, err)
	}
	if _, ok := identity.Of("secret", "admin", identity.Admin); ok {
		t.Error("any text is a token")
	}
}

func TestTheEndOfAKeyIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, _ := identity.New(team)
		key.Expires = time.Time{}
		expiring, _ := identity.New(team)
		expiring.Expires = time.Now().Add(time.Hour)
		ring := identity.NewKeyring()
		both := []identity.Key{key, expiring}
		ring.Set(both)
		var mu sync.Mutex // guards ended
		var ended []string
		watch := func(name string, k identity.Key) func() {
			return ring.Watch(&k, time.Now(), func() {
				mu.Lock()
				defer mu.Unlock()
				ended = append(ended, name)
			})
		}
		wantEnded := func(want ...string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(ended, want) {
				t.Errorf("ended are %q, want %q", ended, want)
			}
		}
		stopped := watch("stopped", key)
		stop := watch("revoked", key)
		stopExpiring := watch("expired", expiring)
		stopped()
		ring.Set(both)
		time.Sleep(time.Hour - 1) // of the fake clock
		wantEnded()
		time.Sleep(time.Second)
		wantEnded("expired")
		ring.Set(nil)
		wantEnded("expired", "revoked")
		watch("late", key)()
		wantEnded("expired", "revoked", "late")
		stop()
		stopExpiring()
		ring.Set(nil)
		wantEnded("expired", "revoked", "late")
	})
}

func TestARoleHoldsInItsNamespaces(t *testing.T) {
	for _, c := range []struct {
		namespace string
		role      identity.Role
		want      bool
	}{
		{"teama", identity.Deploy, true},
		{"teama", identity.Invoke, true},
		{"teama", identity.Admin, false},
		{"teamb-", identity.Deploy, true},
		{"teamb-x", identity.Deploy, true},
		{"teamb", identity.Deploy, false},
		{"teama2", identity.Invoke, false},
		{"TEAMA", identity.Invoke, false},
		{"", identity.Invoke, false},
		{"teama", "", false},
		{"teama", "owner", false},
	} {
		if got := team.May(c.role, c.namespace); got != c.want {
			t.Errorf("%q in %q: %t", c.role, c.namespace, got)
		}
	}
	if (identity.Key{Role: "owner", Namespaces: []identity.Pattern{"*"}}).May(identity.Invoke, "a") {
		t.Error("a role that there is not may call functions")
	}
}

// Nobody gives more than they have.
func TestAnAdminGivesOnlyWhatTheyHave(t *testing.T) {
	of := func(role identity.Role, patterns ...identity.Pattern) identity.Key {
		return identity.Key{Role: role, Namespaces: patterns}
	}
	admin := of(identity.Admin, "teama", "teamb-*")
	for _, c := range []struct {
		other identity.Key
		want  bool
	}{
		{of(identity.Invoke, "teama"), true},
		{of(identity.Admin, "teamb-*", "teama"), true},
		{of(identity.Admin, "teamb-x"), true},
		{of(identity.Admin, "teamb-x*"), true},
		{of(identity.Invoke, "teamb*"), false},
		{of(identity.Invoke, "teama*"), false},
		{of(identity.Invoke, "*"), false},
		{of(identity.Invoke, "teama", "teamc"), false},
		{of(identity.Invoke), false},
	} {
		if got := admin.Gives(c.other); got != c.want {
			t.Errorf("%+v: %t", c.other, got)
		}
	}
	if of(identity.Deploy, "*").Gives(of(identity.Invoke, "a")) {
		t.Error("one who is no admin makes keys")
	}
}

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	key, token := identity.New(team)
	text := key.Record()
	if strings.Contains(string(text), token[20:]) {
		t.Errorf("the record %s has the secret", text)
	}
	read, err := identity.Parse(key.ID, text)
	if err != nil || string(read.Record()) != string(text) || read.ID != key.ID {
		t.Errorf("read %+v, %v", read, err)
	}
	ring := identity.NewKeyring(read)
	if _, err := ring.Find(token, now); err != nil {
		t.Error(err)
	}
	for _, damaged := range []string{
		``, `{}`, `[]`, strings.Replace(string(text), `"hash":"`, `"hash":"zz`, 1), strings.Replace(string(text), `"deploy"`, `"root"`, 1),
		strings.Replace(string(text), `"namespaces":["teama","teamb-*"]`, `"namespaces":[]`, 1),
		strings.Replace(string(text), `"hash":"`, `"hash":"","x":"`, 1), `{"role":"admin","namespaces":["*"],"hash":"00"}`,
		strings.Replace(string(text), `"expires":"`, `"expires":"x`, 1),
	} {
		if k, err := identity.Parse(key.ID, []byte(damaged)); err == nil {
			t.Errorf("%s is read as %+v", damaged, k)
		}
	}
}

func FuzzTokensOfOthersAreUnknown(f *testing.F) {
	key, token := identity.New(team)
	ring := identity.NewKeyring(key)
	f.Add(token)
	f.Add("fn_")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := ring.Find(text, now); err == nil && text != token {
			t.Errorf("%q is taken for %q", text, token)
		}
	})
}
