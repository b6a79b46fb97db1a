package storetest

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// listTests are of lists of functions.
var listTests = table{
	"ListPages":               testListPages,
	"ListRefusesInvalidPages": testListRefusesInvalidPages,
	"ListOrder":               testListOrder,
	"SearchByNamespace":       testSearchByNamespace,
	"SearchByID":              testSearchByID,
}

// fill stores n functions in each namespace and returns all of them in the order of lists.
func fill(t *testing.T, s Store, n int, namespaces ...string) []function.Ref {
	t.Helper()
	var refs []function.Ref
	for _, ns := range namespaces {
		for i := range n {
			r := function.Ref{Namespace: ns, ID: fmt.Sprintf("f%02d", i)}
			put(t, s, r, "1", nil)
			refs = append(refs, r)
		}
	}
	slices.SortFunc(refs, function.Ref.Compare)
	return refs
}

func testListPages(t *testing.T, s Store) {
	if page := list(t, s, function.Query{Page: 1, PerPage: 10}); page.Total != 0 || len(page.Items) != 0 {
		t.Errorf("an empty store lists %+v", page)
	}
	all := fill(t, s, 5, "b", "a", "c")
	for _, tt := range []struct{ page, perPage, start, end int }{
		{1, 4, 0, 4},
		{2, 4, 4, 8},
		{4, 4, 12, 15},
		{5, 4, 15, 15},
		{1, 15, 0, 15},
		{1, 100, 0, 15},
		{15, 1, 14, 15},
		{1, math.MaxInt, 0, 15},
		{2, math.MaxInt, 15, 15},
		{math.MaxInt, math.MaxInt, 15, 15},
		{math.MaxInt, 1, 15, 15},
	} {
		page := list(t, s, function.Query{Page: tt.page, PerPage: tt.perPage})
		wantRefs(t, page.Items, all[tt.start:tt.end])
		if page.Total != len(all) {
			t.Errorf("page %d of %d: total is %d", tt.page, tt.perPage, page.Total)
		}
		ofNamespace := list(t, s, function.Query{Namespace: "b", Page: tt.page, PerPage: tt.perPage})
		wantRefs(t, ofNamespace.Items, all[5:10][min(tt.start, 5):min(tt.end, 5)])
	}
}

func testListRefusesInvalidPages(t *testing.T, s Store) {
	fill(t, s, 1, "a")
	for _, q := range []function.Query{
		{Page: 0, PerPage: 10},
		{Page: -1, PerPage: 10},
		{Page: 1, PerPage: 0},
		{Page: 1, PerPage: -1},
		{Namespace: "a", Page: 0, PerPage: 1},
		{Namespace: "a", ID: "f00", Page: 1, PerPage: math.MinInt},
	} {
		_, err := s.List(t.Context(), q)
		wantError(t, err, function.ErrInvalidPage)
	}
}

func testListOrder(t *testing.T, s Store) {
	want := fill(t, s, 2, "b", "a", "a-b", "ab", "A", "é", "a.b", "a~", "10", "9", "z")
	for _, id := range []string{"F", "a", "é", "~", "!", "f00:", "f0"} {
		r := function.Ref{Namespace: "a", ID: id}
		put(t, s, r, "1", nil)
		want = append(want, r)
	}
	slices.SortFunc(want, function.Ref.Compare)
	wantRefs(t, list(t, s, function.Query{Page: 1, PerPage: 100}).Items, want)
}

func testSearchByNamespace(t *testing.T, s Store) {
	fill(t, s, 3, "ab", "a", "A", "a-b", "a;")
	for _, id := range []string{"!", "#", "\x01", "é", "\U0010ffff", "\xff", "x:y"} {
		put(t, s, function.Ref{Namespace: "a", ID: id}, "1", nil)
	}
	page := list(t, s, function.Query{Namespace: "a", Page: 1, PerPage: 100})
	if page.Total != 10 || len(page.Items) != 10 {
		t.Errorf("got %d items, total %d, want 10", len(page.Items), page.Total)
	}
	for _, r := range page.Items {
		if r.Namespace != "a" {
			t.Errorf("%q is listed", r)
		}
	}
	if !slices.IsSortedFunc(page.Items, function.Ref.Compare) {
		t.Errorf("not in order: %q", page.Items)
	}
	second := list(t, s, function.Query{Namespace: "a", Page: 2, PerPage: 4})
	wantRefs(t, second.Items, page.Items[4:8])
	if second.Total != 10 {
		t.Errorf("total of the second page is %d", second.Total)
	}
	if none := list(t, s, function.Query{Namespace: "none", Page: 1, PerPage: 10}); none.Total != 0 ||
		len(none.Items) != 0 {
		t.Errorf("a missing namespace lists %+v", none)
	}
}

func testSearchByID(t *testing.T, s Store) {
	fill(t, s, 3, "a", "b")
	put(t, s, function.Ref{Namespace: "a", ID: "f0"}, "1", nil)
	want := []function.Ref{{Namespace: "a", ID: "f01"}}
	page := list(t, s, function.Query{Namespace: "a", ID: "f01", Page: 1, PerPage: 10})
	wantRefs(t, page.Items, want)
	if page.Total != 1 {
		t.Errorf("total is %d", page.Total)
	}
	beyond := list(t, s, function.Query{Namespace: "a", ID: "f01", Page: 2, PerPage: 10})
	if len(beyond.Items) != 0 || beyond.Total != 1 {
		t.Errorf("the second page is %+v", beyond)
	}
	if none := list(t, s, function.Query{Namespace: "a", ID: "f", Page: 1, PerPage: 10}); none.Total != 0 {
		t.Errorf("a part of an ID lists %v", none.Items)
	}
	if all := list(t, s, function.Query{ID: "f01", Page: 1, PerPage: 10}); all.Total != 7 {
		t.Errorf("an ID without its namespace lists %v", all.Items)
	}
}
