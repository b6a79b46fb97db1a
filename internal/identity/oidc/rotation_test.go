package oidc_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/identity/oidc"
)

func TestANewKeyIsFetchedAndOneThatIsGoneIsNotTaken(t *testing.T) {
	first, second := private(newECDSA(t), "1"), private(newECDSA(t), "2")
	i := newIssuer(t, first)
	v := i.verifier(t)
	old := sign(t, first, jose.ES256, i.claims(nil))
	b := find(t, v, i, old, nil)
	ended := make(chan struct{})
	defer v.Watch(b, i.at(), func() { close(ended) })()

	i.setKeys(first, second) // both are valid for a time
	i.later(time.Minute)
	find(t, v, i, sign(t, second, jose.ES256, i.claims(nil)), nil)
	find(t, v, i, old, nil)
	i.setKeys(second)
	i.later(time.Minute)
	find(t, v, i, sign(t, private(newECDSA(t), "3"), jose.ES256, i.claims(nil)), identity.ErrUnknown) // has them fetched
	find(t, v, i, old, identity.ErrUnknown)
	<-ended
	if n := i.fetches(); n != 3 {
		t.Errorf("the keys were fetched %d times", n)
	}
	v.Watch(b, i.at(), func() { ended = nil })()
	if ended != nil {
		t.Error("a watch that came too late was not told")
	}
}

// A key of the same name is another key.
func TestAKeyThatIsReplacedIsNotTaken(t *testing.T) {
	first, second := private(newECDSA(t), "k"), private(newECDSA(t), "k")
	i := newIssuer(t, first)
	v := i.verifier(t)
	old := sign(t, first, jose.ES256, i.claims(nil))
	find(t, v, i, old, nil)
	i.setKeys(second)
	i.later(time.Minute)
	find(t, v, i, sign(t, private(newECDSA(t), "x"), jose.ES256, i.claims(nil)), identity.ErrUnknown)
	find(t, v, i, old, identity.ErrUnknown)
	find(t, v, i, sign(t, second, jose.ES256, i.claims(nil)), nil)
}

func TestInventedKeysDoNotFloodTheIssuer(t *testing.T) {
	key := private(newECDSA(t), "k")
	i := newIssuer(t, key)
	v := i.verifier(t)
	find(t, v, i, sign(t, key, jose.ES256, i.claims(nil)), nil)
	var callers sync.WaitGroup
	for n := range 100 {
		token := sign(t, private(key.Key, fmt.Sprint("invented-", n)), jose.ES256, i.claims(nil))
		callers.Go(func() { find(t, v, i, token, identity.ErrUnknown) })
	}
	callers.Wait()
	if n := i.fetches(); n != 2 {
		t.Errorf("the keys were fetched %d times, want once more", n)
	}
}

func TestKeysThatCannotBeFetchedAgainAreUsedForAnHour(t *testing.T) {
	key := private(newECDSA(t), "k")
	i := newIssuer(t, key)
	v := i.verifier(t)
	token := sign(t, key, jose.ES256, i.claims(map[string]any{"exp": i.at().Add(24 * time.Hour).Unix()}))
	find(t, v, i, token, nil)
	i.answerWith(http.NotFound)
	i.later(59 * time.Minute)
	find(t, v, i, token, nil)
	find(t, v, i, sign(t, key, jose.ES256, i.claims(nil)), nil)
	i.later(time.Minute)
	find(t, v, i, token, identity.ErrKeysUnknown)
	find(t, v, i, sign(t, key, jose.ES256, i.claims(nil)), identity.ErrKeysUnknown)
}

func TestAnIssuerThatIsAwayAtFirstIsAskedAgain(t *testing.T) {
	key := private(newECDSA(t), "k")
	i := newIssuer(t, key)
	i.answerWith(http.NotFound)
	v := i.verifier(t)
	token := sign(t, key, jose.ES256, i.claims(nil))
	find(t, v, i, token, identity.ErrKeysUnknown)
	if message, err := v.Check(t.Context()); err == nil || message != "the keys of "+i.URL+" cannot be fetched" {
		t.Errorf("its state is %q, %v", message, err)
	}
	i.answerWith(nil)
	for {
		_, err := v.Find(t.Context(), token, i.at())
		if err == nil {
			break
		}
		if !errors.Is(err, identity.ErrKeysUnknown) || t.Context().Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // until it is tried again, whenever that is
	}
	if message, err := v.Check(t.Context()); err != nil {
		t.Errorf("its state is %q, %v", message, err)
	}
}

func TestATokenIsKeptUntilItExpires(t *testing.T) {
	key := private(newECDSA(t), "k")
	i := newIssuer(t, key)
	v := i.verifier(t)
	token := sign(t, key, jose.ES256, i.claims(map[string]any{"exp": i.at().Add(time.Minute).Unix()}))
	for range 3 {
		find(t, v, i, token, nil)
	}
	if s := v.Stats()[0]; s.Tokens[oidc.Verified] != 1 || s.Tokens[oidc.Kept] != 2 || s.Keys != 1 || s.Fetches != 1 {
		t.Errorf("%+v", s)
	}
	i.later(time.Minute)
	find(t, v, i, token, identity.ErrUnknown)
	if s := v.Stats()[0]; s.Tokens[oidc.Refused] != 1 {
		t.Errorf("%+v", s)
	}
}

func BenchmarkToken(b *testing.B) {
	for name, key := range map[string]struct {
		key       jose.JSONWebKey
		algorithm jose.SignatureAlgorithm
	}{"RS256": {private(rsaKey(), "k"), jose.RS256}, "ES256": {private(newECDSA(b), "k"), jose.ES256}} {
		i := newIssuer(b, key.key)
		v := i.verifier(b)
		token := sign(b, key.key, key.algorithm, i.claims(nil))
		b.Run(name+"/kept", func(b *testing.B) {
			for b.Loop() {
				if _, err := v.Find(b.Context(), token, i.at()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/verified", func(b *testing.B) {
			tokens := make([]string, 0, b.N)
			for n := 0; n < 2000; n++ {
				tokens = append(tokens, sign(b, key.key, key.algorithm, i.claims(map[string]any{"n": n})))
			}
			n := 0
			for b.Loop() {
				if n == len(tokens) {
					b.StopTimer()
					v = i.verifier(b)
					_, _ = v.Find(b.Context(), token, i.at())
					n = 0
					b.StartTimer()
				}
				if _, err := v.Find(b.Context(), tokens[n], i.at()); err != nil {
					b.Fatal(err)
				}
				n++
			}
		})
	}
	ring, secret := ringOfOne()
	b.Run("key", func(b *testing.B) {
		for b.Loop() {
			if _, err := ring.Find(secret, time.Now()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func ringOfOne() (*identity.Keyring, string) {
	key, token := identity.New(identity.Key{Role: identity.Invoke, Namespaces: []identity.Pattern{"*"}})
	return identity.NewKeyring(key), token
}
