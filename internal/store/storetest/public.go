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
	"PublicNamesOfAnyKind":   testPublicNamesOfAnyKind,
	"TheListHasALimit":       testTheListHasALimit,
	"TheListIsBesideRecords": testTheListIsBesideRecords,
}

func wantPublic(t *testing.T, s Store, want ...function.Ref) {
	t.Helper()
	slices.SortFunc(want, function.Ref.Compare)
	got, err := s.Public(t.Context())
	wantNoError(t, err)
	if !slices.Equal(got, want) {
		t.Errorf("public are %v, want %v", got, want)
	}
}

func testPublic(t *testing.T, s Store) {
	wantPublic(t, s)
	a, b := function.Ref{Namespace: "ns", ID: "a"}, function.Ref{Namespace: "ns", ID: "b"}
	for range 2 { // the second time it is there
		wantNoError(t, s.AddPublic(t.Context(), b))
		wantPublic(t, s, b)
	}
	wantNoError(t, s.AddPublic(t.Context(), a))
	wantPublic(t, s, a, b)
	for range 2 { // the second time it is missing
		wantNoError(t, s.RemovePublic(t.Context(), b))
		wantPublic(t, s, a)
	}
}

func testPublicNamesOfAnyKind(t *testing.T, s Store) {
	var want []function.Ref
	for _, ns := range []string{"a", "a:b", "a/b", "%2F", "é", `"`, "a,"} {
		for _, id := range []string{"f", "a:b", "/", "%", `","`, "é"} {
			want = append(want, function.Ref{Namespace: ns, ID: id})
		}
	}
	slices.SortFunc(want, function.Ref.Compare)
	want = want[:MaxPublic]
	for _, ref := range want {
		wantNoError(t, s.AddPublic(t.Context(), ref))
	}
	wantPublic(t, s, want...)
	for _, ref := range want {
		wantNoError(t, s.RemovePublic(t.Context(), ref))
	}
	wantPublic(t, s)
}

func testTheListHasALimit(t *testing.T, s Store) {
	var all []function.Ref
	for i := range MaxPublic {
		all = append(all, function.Ref{Namespace: "ns", ID: strconv.Itoa(i)})
		wantNoError(t, s.AddPublic(t.Context(), all[i]))
	}
	wantError(t, s.AddPublic(t.Context(), function.Ref{Namespace: "ns", ID: "x"}), function.ErrTooManyPublic)
	wantNoError(t, s.AddPublic(t.Context(), all[0])) // it is not one more
	wantPublic(t, s, all...)
}

// The list is of names alone: to write and to delete a function does not change it.
func testTheListIsBesideRecords(t *testing.T, s Store) {
	wantNoError(t, s.AddPublic(t.Context(), ref))
	put(t, s, ref, "1", nil)
	wantPublic(t, s, ref)
	wantNoError(t, s.Delete(t.Context(), ref))
	wantPublic(t, s, ref)
}
