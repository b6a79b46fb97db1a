package storetest

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
)

// secretTests are of secrets.
var secretTests = table{
	"Secrets":                   testSecrets,
	"ASecretIsReplaced":         testASecretIsReplaced,
	"SecretsOfScopesAreOwn":     testSecretsOfScopes,
	"SecretsOfAnyNames":         testSecretsOfAnyNames,
	"SecretsHaveALimit":         testSecretsHaveALimit,
	"IncompleteSecretsAreNone":  testIncompleteSecrets,
	"OneOfManyPutsOfOneIsTaken": testConcurrentSecrets,
	"LargeSecrets":              testLargeSecrets,
}

// secret is one of version 1; the ID of its function is empty for one of the namespace.
func secret(namespace, id, name, sealed string) *function.Secret {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	scope := function.SecretScope{Namespace: namespace, ID: id}
	return &function.Secret{
		SecretRef: function.SecretRef{SecretScope: scope, Name: name}, Version: 1, Created: at, Updated: at,
		Sealed: []byte(sealed),
	}
}

// wantSecrets checks that a scope has these secrets, in this order, and returns them.
func wantSecrets(t *testing.T, s Store, scope function.SecretScope, want ...*function.Secret) []*function.Secret {
	t.Helper()
	got, err := s.Secrets(t.Context(), scope)
	wantNoError(t, err)
	same := func(a, b *function.Secret) bool {
		return a.SecretRef == b.SecretRef && a.Version == b.Version && bytes.Equal(a.Sealed, b.Sealed) &&
			a.Created.Equal(b.Created) && a.Updated.Equal(b.Updated) && a.Whole()
	}
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("the secrets of %s are %+v, want %+v", scope, got, want)
	}
	return got
}

func wantScopes(t *testing.T, s Store, want ...function.SecretScope) {
	t.Helper()
	all, err := s.SecretScopes(t.Context())
	wantNoError(t, err)
	for _, scope := range want {
		if !slices.Contains(all, scope) {
			t.Errorf("the scopes %+v lack %+v", all, scope)
		}
	}
	if !slices.IsSortedFunc(all, function.SecretScope.Compare) {
		t.Errorf("the scopes are not in order: %+v", all)
	}
}

func testSecrets(t *testing.T, s Store) {
	b, a := secret("ns", "", "B", "2"), secret("ns", "", "_a", "1")
	wantSecrets(t, s, b.SecretScope)
	wantNoError(t, s.PutSecret(t.Context(), a, nil))
	wantNoError(t, s.PutSecret(t.Context(), b, nil))
	wantSecrets(t, s, b.SecretScope, b, a)
	wantScopes(t, s, b.SecretScope)
	for range 2 { // the second time it is missing
		wantNoError(t, s.DeleteSecret(t.Context(), a.SecretRef))
		wantSecrets(t, s, b.SecretScope, b)
	}
	for range 2 {
		wantNoError(t, s.DeleteSecrets(t.Context(), b.SecretScope))
		wantSecrets(t, s, b.SecretScope)
	}
	all, err := s.SecretScopes(t.Context())
	wantNoError(t, err)
	if len(all) != 0 {
		t.Errorf("the scopes are %+v", all)
	}
}

func testASecretIsReplaced(t *testing.T, s Store) {
	first := secret("ns", "id", "A", "1")
	wantNoError(t, s.PutSecret(t.Context(), first, nil))
	wantError(t, s.PutSecret(t.Context(), first, nil), function.ErrSecretConflict)
	read := wantSecrets(t, s, first.SecretScope, first)[0]
	next := read.With([]byte("\x01\x00\xff, another"))
	next.Version, next.Updated = 2, next.Updated.Add(time.Hour)
	wantNoError(t, s.PutSecret(t.Context(), next, read))
	wantError(t, s.PutSecret(t.Context(), next, read), function.ErrSecretConflict)
	wantSecrets(t, s, first.SecretScope, next)
	wantNoError(t, s.DeleteSecret(t.Context(), first.SecretRef))
	wantError(t, s.PutSecret(t.Context(), next, next), function.ErrSecretConflict)
	wantSecrets(t, s, first.SecretScope)
}

func testSecretsOfScopes(t *testing.T, s Store) {
	all := []*function.Secret{
		secret("a", "", "S", "1"), secret("a", "b", "S", "2"), secret("a", "b:c", "S", "3"), secret("a:b", "", "S", "4"),
		secret("a:b", "c", "S", "5"), secret("ab", "", "S", "6"),
	}
	var scopes []function.SecretScope
	for _, one := range all {
		wantNoError(t, s.PutSecret(t.Context(), one, nil))
		scopes = append(scopes, one.SecretScope)
	}
	put(t, s, function.Ref{Namespace: "a", ID: "b"}, "1", nil)
	wantNoError(t, s.DeleteNamespace(t.Context(), "a"))
	wantNoError(t, s.Delete(t.Context(), function.Ref{Namespace: "a", ID: "b"}))
	wantScopes(t, s, scopes...)
	for i, one := range all {
		wantSecrets(t, s, one.SecretScope, one)
		wantNoError(t, s.DeleteSecrets(t.Context(), one.SecretScope))
		wantSecrets(t, s, one.SecretScope)
		for _, other := range all[i+1:] {
			wantSecrets(t, s, other.SecretScope, other)
		}
	}
}

func testSecretsOfAnyNames(t *testing.T, s Store) {
	for _, namespace := range []string{"%", "/", ":", `","`, " ", "é", "a%2Fb", "<&>", `\`} {
		for _, id := range []string{"", "%", "/", ":", `","`, "é"} {
			one := secret(namespace, id, "S", namespace+id)
			wantNoError(t, s.PutSecret(t.Context(), one, nil))
			wantSecrets(t, s, one.SecretScope, one)
			wantScopes(t, s, one.SecretScope)
		}
	}
}

func testSecretsHaveALimit(t *testing.T, s Store) {
	for _, id := range []string{"", "id"} {
		var all []*function.Secret
		for i := range MaxSecrets {
			all = append(all, secret("ns", id, "S"+strconv.Itoa(i), "1"))
			wantNoError(t, s.PutSecret(t.Context(), all[i], nil))
		}
		wantError(t, s.PutSecret(t.Context(), secret("ns", id, "X", "1"), nil), function.ErrTooManySecrets)
		read := wantSecrets(t, s, all[0].SecretScope, all...)
		next := read[0].With([]byte("2"))
		wantNoError(t, s.PutSecret(t.Context(), next, read[0])) // it is not one more
		wantNoError(t, s.DeleteSecret(t.Context(), all[1].SecretRef))
		wantNoError(t, s.PutSecret(t.Context(), secret("ns", id, "X", "1"), nil))
	}
}

func testIncompleteSecrets(t *testing.T, s Store) {
	for _, change := range []func(*function.Secret){
		func(s *function.Secret) { s.Namespace = "" },
		func(s *function.Secret) { s.Name = "" },
		func(s *function.Secret) { s.Name = "a-b" },
		func(s *function.Secret) { s.Name = "1A" },
		func(s *function.Secret) { s.Version = 0 },
		func(s *function.Secret) { s.Sealed = nil },
	} {
		one := secret("ns", "", "S", "1")
		change(one)
		wantError(t, s.PutSecret(t.Context(), one, nil), function.ErrIncomplete)
	}
	wantSecrets(t, s, function.SecretScope{Namespace: "ns"})
}

func testConcurrentSecrets(t *testing.T, s Store) {
	errs := make([]error, 8)
	var writers sync.WaitGroup
	for i := range errs {
		writers.Go(func() { errs[i] = s.PutSecret(t.Context(), secret("ns", "", "S", strconv.Itoa(i)), nil) })
	}
	writers.Wait()
	stored := -1
	for i, err := range errs {
		switch {
		case err == nil && stored < 0:
			stored = i
		case !errors.Is(err, function.ErrSecretConflict):
			t.Errorf("the put of %d returned %v", i, err)
		}
	}
	if stored < 0 {
		t.Fatal("none was taken")
	}
	wantSecrets(t, s, function.SecretScope{Namespace: "ns"}, secret("ns", "", "S", strconv.Itoa(stored)))
}

func testLargeSecrets(t *testing.T, s Store) {
	large := secret("ns", "", "S", "")
	large.Sealed = bytes.Repeat([]byte{0, 0xff}, function.MaxSecretBytes)
	wantNoError(t, s.PutSecret(t.Context(), large, nil))
	wantSecrets(t, s, large.SecretScope, large)
}
