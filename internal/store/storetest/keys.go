package storetest

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/backstage/functions/internal/identity"
)

// keyTests are of keys of callers.
var keyTests = table{
	"Keys":            testKeys,
	"AKeyIsReplaced":  testAKeyIsReplaced,
	"KeysHaveALimit":  testKeysHaveALimit,
	"KeysOfAnyPlaces": testKeysOfAnyPlaces,
}

// key is a new key with that name.
func key(name string) identity.Key {
	k, _ := identity.New(identity.Key{
		Name: name, Role: identity.Deploy, Namespaces: []identity.Pattern{"ns", "team-*"},
		Created: time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC),
	})
	return k
}

func wantKeys(t *testing.T, s Store, want ...identity.Key) {
	t.Helper()
	slices.SortFunc(want, identity.Key.Compare)
	got, err := s.Keys(t.Context())
	wantNoError(t, err)
	if !slices.EqualFunc(got, want, identity.Key.Equal) {
		t.Errorf("keys are %+v, want %+v", got, want)
	}
	for _, k := range want {
		if one, err := s.Key(t.Context(), k.ID); err != nil || !one.Equal(k) {
			t.Errorf("key %s is %+v, %v", k.ID, one, err)
		}
	}
	for _, missing := range []string{"", "A", key("").ID} {
		_, err := s.Key(t.Context(), missing)
		wantError(t, err, identity.ErrNotFound)
	}
}

func testKeys(t *testing.T, s Store) {
	wantKeys(t, s)
	a, b := key("a"), key("")
	b.Role, b.Expires = identity.Admin, time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	wantNoError(t, s.PutKey(t.Context(), a))
	wantNoError(t, s.PutKey(t.Context(), b))
	wantKeys(t, s, a, b)
	for range 2 { // the second time it is missing
		wantNoError(t, s.DeleteKey(t.Context(), a.ID))
		wantKeys(t, s, b)
	}
	for _, k := range []identity.Key{
		{},
		{ID: "A", Role: identity.Admin, Namespaces: []identity.Pattern{"*"}},
		with(a, func(k *identity.Key) { k.ID = "" }),
		with(a, func(k *identity.Key) { k.Role = "" }), with(a, func(k *identity.Key) { k.Role = "root" }),
		with(a, func(k *identity.Key) { k.Namespaces = nil }),
	} {
		wantError(t, s.PutKey(t.Context(), k), identity.ErrIncomplete)
	}
	wantKeys(t, s, b)
}

func with(k identity.Key, change func(*identity.Key)) identity.Key {
	change(&k)
	return k
}

func testAKeyIsReplaced(t *testing.T, s Store) {
	k := key("a")
	wantNoError(t, s.PutKey(t.Context(), k))
	k.Name, k.Namespaces, k.Expires = "é<&>", []identity.Pattern{"*"}, k.Created.Add(time.Hour)
	wantNoError(t, s.PutKey(t.Context(), k))
	wantKeys(t, s, k)
}

func testKeysOfAnyPlaces(t *testing.T, s Store) {
	k := key("a")
	k.Namespaces = []identity.Pattern{"a/b:c", "%", " ", "é", "route:*"}
	wantNoError(t, s.PutKey(t.Context(), k))
	wantKeys(t, s, k)
}

func testKeysHaveALimit(t *testing.T, s Store) {
	var all []identity.Key
	for i := range MaxKeys {
		all = append(all, key(strconv.Itoa(i)))
		wantNoError(t, s.PutKey(t.Context(), all[i]))
	}
	wantError(t, s.PutKey(t.Context(), key("x")), identity.ErrTooMany)
	all[0].Name = "renamed"
	wantNoError(t, s.PutKey(t.Context(), all[0])) // it is not one more
	wantKeys(t, s, all...)
	wantNoError(t, s.DeleteKey(t.Context(), all[7].ID))
	wantNoError(t, s.PutKey(t.Context(), key("x")))
}
