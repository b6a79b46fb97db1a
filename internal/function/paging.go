package function

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
)

// Bounds returns the ranks of the page's items, counted from 0: from start up to and without end. Both stop at
// math.MaxInt rather than overflow; limit them to what there is. The error is ErrInvalidPage or nil.
func (q Query) Bounds() (start, end int, err error) {
	if q.Page < 1 || q.PerPage < 1 {
		return 0, 0, ErrInvalidPage
	}
	if q.Page-1 > (math.MaxInt-q.PerPage)/q.PerPage {
		return math.MaxInt, math.MaxInt, nil
	}
	start = (q.Page - 1) * q.PerPage
	return start, start + q.PerPage, nil
}

// Compare orders functions as a list shows them: by the bytes of "namespace:id". Only equal refs compare as 0.
func (r Ref) Compare(other Ref) int {
	return cmp.Or(
		CompareNamespaces(r.Namespace, other.Namespace),
		strings.Compare(r.ID, other.ID),
	)
}

// SortNamespaces returns the names in the order in which lists have the functions of these namespaces.
func SortNamespaces(names map[string]struct{}) []string {
	return slices.SortedFunc(maps.Keys(names), CompareNamespaces)
}

// CompareNamespaces orders the names of namespaces as lists do.
func CompareNamespaces(a, b string) int { return strings.Compare(a+":", b+":") }
