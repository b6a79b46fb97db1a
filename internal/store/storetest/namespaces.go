package storetest

import (
	"reflect"
	"strconv"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// namespaceTests are of namespaces.
var namespaceTests = table{
	"Namespaces":              testNamespaces,
	"NamespaceLimits":         testNamespaceLimits,
	"NamespaceNamesOfAnyKind": testNamespaceNamesOfAnyKind,
	"SettingsOfAFunction":     testSettingsOfAFunction,
}

func testNamespaces(t *testing.T, s Store) {
	_, err := s.GetNamespace(t.Context(), "ns")
	wantError(t, err, function.ErrNamespaceNotFound)
	dsn, empty := "https://key@sentry.example/1", ""
	for _, want := range []*string{nil, &dsn, &empty, &dsn, nil} {
		wantNoError(t, s.PutNamespace(t.Context(), &function.Namespace{Name: "ns", SentryDSN: want}))
		wantNamespace(t, s, "ns", want)
	}
	put(t, s, ref, "1", nil)
	for range 2 { // the second time it is missing
		wantNoError(t, s.DeleteNamespace(t.Context(), "ns"))
		_, err = s.GetNamespace(t.Context(), "ns")
		wantError(t, err, function.ErrNamespaceNotFound)
	}
	get(t, s, ref)
}

func wantNamespace(t *testing.T, s Store, name string, dsn *string) {
	t.Helper()
	n, err := s.GetNamespace(t.Context(), name)
	wantNoError(t, err)
	if n.Name != name {
		t.Errorf("namespace %.40q came back as %.40q", name, n.Name)
	}
	wantDSN(t, n, dsn)
}

func wantDSN(t *testing.T, n *function.Namespace, want *string) {
	t.Helper()
	switch {
	case n == nil:
		t.Error("no settings")
	case want == nil && n.SentryDSN != nil:
		t.Errorf("sentryDSN is %q, want none", *n.SentryDSN)
	case want != nil && (n.SentryDSN == nil || *n.SentryDSN != *want):
		t.Errorf("sentryDSN is not %q", *want)
	}
}

func testNamespaceLimits(t *testing.T, s Store) {
	put(t, s, ref, "1", nil)
	for _, want := range []*int{new(7), new(0), nil} {
		wantNoError(t, s.PutNamespace(t.Context(), &function.Namespace{Name: "ns", MaxConcurrency: want}))
		n, err := s.GetNamespace(t.Context(), "ns")
		wantNoError(t, err)
		for what, got := range map[string]*int{
			"namespace": n.MaxConcurrency,
			"function":  get(t, s, ref).Settings.MaxConcurrency,
		} {
			if !reflect.DeepEqual(got, want) {
				t.Errorf("the %s says %v, want %v", what, got, want)
			}
		}
	}
}

func testNamespaceNamesOfAnyKind(t *testing.T, s Store) {
	names := map[string]bool{}
	for _, r := range oddRefs {
		names[r.Namespace] = true
	}
	for name := range names {
		dsn := strconv.Quote(name)
		wantNoError(t, s.PutNamespace(t.Context(), &function.Namespace{Name: name, SentryDSN: &dsn}))
	}
	for name := range names {
		dsn := strconv.Quote(name)
		wantNamespace(t, s, name, &dsn)
	}
	wantError(t, s.PutNamespace(t.Context(), &function.Namespace{}), function.ErrIncomplete)
}

func testSettingsOfAFunction(t *testing.T, s Store) {
	put(t, s, ref, "1", nil)
	dsn := "dsn"
	wantNoError(t, s.PutNamespace(t.Context(), &function.Namespace{Name: "ns", SentryDSN: &dsn}))
	wantDSN(t, get(t, s, ref).Settings, &dsn)
	wantDSN(t, put(t, s, ref, "2", nil).Settings, &dsn)
	wantNoError(t, s.PutNamespace(t.Context(), &function.Namespace{Name: "ns"}))
	wantDSN(t, get(t, s, ref).Settings, nil)
	wantNoError(t, s.DeleteNamespace(t.Context(), "ns"))
	if f := get(t, s, ref); f.Settings != nil {
		t.Errorf("settings of a deleted namespace: %+v", f.Settings)
	}
}
