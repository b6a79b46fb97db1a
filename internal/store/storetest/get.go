package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

func testMissingFunctions(t *testing.T, s Store) {
	put(t, s, function.Ref{Namespace: "ns", ID: "other"}, "1", nil)
	_, err := s.Get(t.Context(), ref)
	wantError(t, err, function.ErrNotFound)
	_, err = s.Revision(t.Context(), ref)
	wantError(t, err, function.ErrNotFound)
	wantError(t, s.SetEnv(t.Context(), ref, "A", "1"), function.ErrNotFound)
	wantError(t, s.UnsetEnv(t.Context(), ref, "A"), function.ErrNotFound)
	if page := list(t, s, function.Query{Page: 1, PerPage: 10}); page.Total != 1 {
		t.Errorf("looking for a missing function left %v", page.Items)
	}
}

func testDelete(t *testing.T, s Store) {
	other := function.Ref{Namespace: "ns", ID: "other"}
	put(t, s, ref, "1", nil)
	put(t, s, other, "1", nil)
	for range 2 { // the second time it is missing
		wantNoError(t, s.Delete(t.Context(), ref))
		_, err := s.Get(t.Context(), ref)
		wantError(t, err, function.ErrNotFound)
		wantRefs(t, list(t, s, function.Query{Page: 1, PerPage: 10}).Items, []function.Ref{other})
	}
	wantNoError(t, s.Delete(t.Context(), other))
	if page := list(t, s, function.Query{Page: 1, PerPage: 10}); page.Total != 0 || len(page.Items) != 0 {
		t.Errorf("deleted functions are listed: %+v", page)
	}
	wantNoError(t, s.Delete(t.Context(), function.Ref{Namespace: "never", ID: "stored"}))
}

// oddRefs are names that a careless encoding would confuse with each other.
var oddRefs = []function.Ref{
	{Namespace: "a/b", ID: "c"},
	{Namespace: "a", ID: "b/c"},
	{Namespace: "a%2Fb", ID: "c"},
	{Namespace: "a%2fb", ID: "c"},
	{Namespace: "a%252Fb", ID: "c"},
	{Namespace: "a:b", ID: "c"},
	{Namespace: "a", ID: "b:c"},
	{Namespace: "a%3Ab", ID: "c"},
	{Namespace: "a:", ID: "b"},
	{Namespace: "a", ID: ":b"},
	{Namespace: "a%", ID: "c"},
	{Namespace: "a%25", ID: "c"},
	{Namespace: "ação", ID: "função"},
	{Namespace: "命名空间", ID: "😀"},
	{Namespace: " ", ID: "\t"},
	{Namespace: "\x00", ID: "\x00"},
	{Namespace: "a", ID: "\x00"},
	{Namespace: "a\x00", ID: "c"},
	{Namespace: "a", ID: "\xff\xfe"},
	{Namespace: "\xff", ID: "c"},
	{Namespace: "pipeline", ID: "run"},
	{Namespace: "run", ID: "env"},
	{Namespace: "__proto__", ID: "constructor"},
	{Namespace: "*", ID: "?"},
	{Namespace: "[a", ID: "(b"},
	{Namespace: "-", ID: "+"},
	{Namespace: "{a}", ID: "{b}"},
	{Namespace: strings.Repeat("n", 8000), ID: strings.Repeat("i", 8000)},
	{Namespace: strings.Repeat("n", 8000), ID: strings.Repeat("i", 8001)},
}

// codeOf is code that tells r from every other function.
func codeOf(r function.Ref) string { return fmt.Sprintf("// %q, %q", r.Namespace, r.ID) }

func testNamesOfAnyKind(t *testing.T, s Store) {
	for _, r := range oddRefs {
		put(t, s, r, codeOf(r), nil)
	}
	for _, r := range oddRefs {
		if f := get(t, s, r); f.Ref != r || f.Code != codeOf(r) {
			t.Errorf("%.40q came back as %.40q with code %.40q", r, f.Ref, f.Code)
		}
		page := list(t, s, function.Query{Namespace: r.Namespace, ID: r.ID, Page: 1, PerPage: 10})
		wantRefs(t, page.Items, []function.Ref{r})
	}
	page := list(t, s, function.Query{Page: 1, PerPage: len(oddRefs)})
	listed := map[function.Ref]bool{}
	for _, r := range page.Items {
		listed[r] = true
	}
	for i, r := range oddRefs {
		if !listed[r] {
			t.Errorf("%.40q is not listed", r)
		}
		wantNoError(t, s.Delete(t.Context(), r))
		if left := list(t, s, function.Query{Page: 1, PerPage: 1}).Total; left != len(oddRefs)-i-1 {
			t.Fatalf("after %.40q was deleted, %d are left, want %d", r, left, len(oddRefs)-i-1)
		}
	}
}

func testCopiesAreNotShared(t *testing.T, s Store) {
	dsn := "dsn"
	wantNoError(t, s.PutNamespace(t.Context(), &function.Namespace{Name: "ns", SentryDSN: &dsn}))
	env := function.NewEnv(function.Var{Name: "A", Value: "1"})
	stored := put(t, s, ref, "1", env)
	read := get(t, s, ref)
	for _, e := range []*function.Env{env, stored.Env, read.Env} {
		e.Set("A", "changed")
	}
	for _, n := range []*function.Namespace{stored.Settings, read.Settings} {
		*n.SentryDSN = "changed"
	}
	dsn = "changed"
	f := get(t, s, ref)
	wantEnv(t, f.Env, function.Var{Name: "A", Value: "1"})
	if *f.Settings.SentryDSN != "dsn" {
		t.Errorf("the stored sentryDSN became %q", *f.Settings.SentryDSN)
	}
}
