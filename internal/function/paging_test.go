package function

import (
	"errors"
	"math"
	"slices"
	"testing"
)

func TestBoundsOfPages(t *testing.T) {
	for _, tt := range []struct{ page, perPage, start, end int }{
		{1, 10, 0, 10},
		{3, 10, 20, 30},
		{1, math.MaxInt, 0, math.MaxInt},
		{2, math.MaxInt, math.MaxInt, math.MaxInt},
		{math.MaxInt, 1, math.MaxInt - 1, math.MaxInt},
		{math.MaxInt, 2, math.MaxInt, math.MaxInt},
		{math.MaxInt, math.MaxInt, math.MaxInt, math.MaxInt},
	} {
		start, end, err := Query{Page: tt.page, PerPage: tt.perPage}.Bounds()
		if start != tt.start || end != tt.end || err != nil {
			t.Errorf("page %d of %d: got %d, %d, %v, want %d, %d", tt.page, tt.perPage, start, end, err, tt.start, tt.end)
		}
	}
}

func TestBoundsRefusesPagesBelowOne(t *testing.T) {
	for _, q := range []Query{{Page: 0, PerPage: 1}, {Page: 1, PerPage: 0}, {Page: -1, PerPage: 1}, {Page: 1, PerPage: math.MinInt}} {
		if _, _, err := q.Bounds(); !errors.Is(err, ErrInvalidPage) {
			t.Errorf("%+v: got error %v", q, err)
		}
	}
}

func TestCompareOrdersLikeListMembers(t *testing.T) {
	want := []Ref{{"a-b", "x"}, {"a", "x"}, {"a", "xy"}, {"a", "y"}, {"ab", "a"}, {"b", ""}}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, Ref.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if (Ref{"a:b", "c"}).Compare(Ref{"a", "b:c"}) == 0 {
		t.Error("different refs compare as equal")
	}
}
