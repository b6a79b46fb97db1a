package storetest

import (
	"slices"
	"strconv"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// publicTests are of the list of public functions.
var publicTests = table{
	"Public":                 testPublic,
	"PublicAccessChanges":    testPublicAccessChanges,
	"PublicNamesOfAnyKind":   testPublicNamesOfAnyKind,
	"TheListHasALimit":       testTheListHasALimit,
	"TheListIsBesideRecords": testTheListIsBesideRecords,
}

// open is a function that anybody may run.
func open(ref function.Ref) function.Open {
	return function.Open{Ref: ref, Access: function.AccessPublic}
}

func wantPublic(t *testing.T, s Store, want ...function.Open) {
	t.Helper()
	slices.SortFunc(want, func(a, b function.Open) int { return a.Ref.Compare(b.Ref) })
	got, err := s.Public(t.Context())
	wantNoError(t, err)
	if !slices.Equal(got, want) {
		t.Errorf("public are %v, want %v", got, want)
	}
}

func testPublic(t *testing.T, s Store) {
	wantPublic(t, s)
	a, b := open(function.Ref{Namespace: "ns", ID: "a"}), open(function.Ref{Namespace: "ns", ID: "b"})
	for range 2 { // the second time it is there
		wantNoError(t, s.AddPublic(t.Context(), b))
		wantPublic(t, s, b)
	}
	wantNoError(t, s.AddPublic(t.Context(), a))
	wantPublic(t, s, a, b)
	for range 2 { // the second time it is missing
		wantNoError(t, s.RemovePublic(t.Context(), b.Ref))
		wantPublic(t, s, a)
	}
}

func testPublicAccessChanges(t *testing.T, s Store) {
	forTokens := function.Open{Ref: ref, Access: function.AccessJWT}
	for _, f := range []function.Open{forTokens, open(ref), forTokens} {
		wantNoError(t, s.AddPublic(t.Context(), f))
		wantPublic(t, s, f)
	}
}

func testPublicNamesOfAnyKind(t *testing.T, s Store) {
	var want []function.Open
	for _, ns := range []string{"a", "a:b", "a/b", "%2F", "é", `"`, "a,"} {
		for _, id := range []string{"f", "a:b", "/", "%", `","`, "é"} {
			want = append(want, open(function.Ref{Namespace: ns, ID: id}))
		}
	}
	slices.SortFunc(want, func(a, b function.Open) int { return a.Ref.Compare(b.Ref) })
	want = want[:MaxPublic]
	for _, f := range want {
		wantNoError(t, s.AddPublic(t.Context(), f))
	}
	wantPublic(t, s, want...)
	for _, f := range want {
		wantNoError(t, s.RemovePublic(t.Context(), f.Ref))
	}
	wantPublic(t, s)
}

func testTheListHasALimit(t *testing.T, s Store) {
	var all []function.Open
	for i := range MaxPublic {
		all = append(all, open(function.Ref{Namespace: "ns", ID: strconv.Itoa(i)}))
		wantNoError(t, s.AddPublic(t.Context(), all[i]))
	}
	wantError(t, s.AddPublic(t.Context(), open(function.Ref{Namespace: "ns", ID: "x"})), function.ErrTooManyPublic)
	wantNoError(t, s.AddPublic(t.Context(), all[0])) // it is not one more
	wantPublic(t, s, all...)
}

// The list is of names alone: to write and to delete a function does not change it.
func testTheListIsBesideRecords(t *testing.T, s Store) {
	wantNoError(t, s.AddPublic(t.Context(), open(ref)))
	put(t, s, ref, "1", nil)
	wantPublic(t, s, open(ref))
	wantNoError(t, s.Delete(t.Context(), ref))
	wantPublic(t, s, open(ref))
}
