package storetest

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/usage"
)

// limitTests are of what operators have set for namespaces, and of the names of namespaces.
var limitTests = table{
	"Limits":                testLimits,
	"LimitsOfAnyName":       testLimitsOfAnyName,
	"LimitsHaveALimit":      testLimitsHaveALimit,
	"LimitsOutliveSettings": testLimitsOutliveSettings,
	"NamespaceNames":        testNamespaceNames,
}

func wantLimits(t *testing.T, s Store, want ...usage.Namespace) {
	t.Helper()
	got, err := s.NamespaceLimits(t.Context())
	wantNoError(t, err)
	if !slices.Equal(got, want) {
		t.Errorf("limits are %+v, want %+v", got, want)
	}
	for _, n := range append(want, usage.Namespace{Name: "there are none"}) {
		if one, err := s.LimitsOf(t.Context(), n.Name); err != nil || one != n {
			t.Errorf("those of %q are %+v, %v", n.Name, one, err)
		}
	}
}

func testLimits(t *testing.T, s Store) {
	wantLimits(t, s)
	full := usage.Namespace{Name: "b", Disabled: true, Limits: usage.Limits{
		Rate:   usage.Rate{Calls: 600, Per: time.Minute},
		Quotas: usage.Quotas{Calls: 1e12, CPU: 90 * time.Minute, Egress: 3 << 29},
	}}
	empty := usage.Namespace{Name: "a"}
	for range 2 { // the second time they replace themselves
		wantNoError(t, s.PutNamespaceLimits(t.Context(), full))
	}
	wantNoError(t, s.PutNamespaceLimits(t.Context(), empty))
	wantLimits(t, s, empty, full)
	full.Disabled, full.Rate = false, usage.Rate{}
	wantNoError(t, s.PutNamespaceLimits(t.Context(), full))
	wantLimits(t, s, empty, full)
	for range 2 { // the second time they are missing
		wantNoError(t, s.DeleteNamespaceLimits(t.Context(), "a"))
		wantLimits(t, s, full)
	}
	wantError(t, s.PutNamespaceLimits(t.Context(), usage.Namespace{}), usage.ErrIncomplete)
}

func testLimitsOfAnyName(t *testing.T, s Store) {
	var want []usage.Namespace
	for _, name := range []string{"a", "a:b", "a/b", "%2F", "é", `"`, "a,", "\x01"} {
		want = append(want, usage.Namespace{Name: name, Disabled: true})
		wantNoError(t, s.PutNamespaceLimits(t.Context(), want[len(want)-1]))
	}
	slices.SortFunc(want, usage.Namespace.Compare)
	wantLimits(t, s, want...)
}

func testLimitsHaveALimit(t *testing.T, s Store) {
	for i := range MaxNamespaces {
		wantNoError(t, s.PutNamespaceLimits(t.Context(), usage.Namespace{Name: strconv.Itoa(i)}))
	}
	wantError(t, s.PutNamespaceLimits(t.Context(), usage.Namespace{Name: "x"}), usage.ErrTooMany)
	wantNoError(t, s.PutNamespaceLimits(t.Context(), usage.Namespace{Name: "0", Disabled: true})) // is not one more
}

// Who owns a namespace replaces and deletes its settings, and lifts no limit by that.
func testLimitsOutliveSettings(t *testing.T, s Store) {
	limits := usage.Namespace{Name: "ns", Disabled: true}
	wantNoError(t, s.PutNamespaceLimits(t.Context(), limits))
	wantNoError(t, s.PutNamespace(t.Context(), &function.Namespace{Name: "ns"}))
	wantLimits(t, s, limits)
	wantNoError(t, s.DeleteNamespace(t.Context(), "ns"))
	wantLimits(t, s, limits)
}

func wantNames(t *testing.T, s Store, want ...string) {
	t.Helper()
	got, err := s.NamespaceNames(t.Context())
	wantNoError(t, err)
	if !slices.Equal(got, want) {
		t.Errorf("the namespaces are %q, want %q", got, want)
	}
}

func testNamespaceNames(t *testing.T, s Store) {
	wantNames(t, s)
	put(t, s, function.Ref{Namespace: "functions", ID: "a"}, "1", nil)
	put(t, s, function.Ref{Namespace: "functions", ID: "b"}, "1", nil)
	put(t, s, function.Ref{Namespace: "a-b", ID: "f"}, "1", nil)
	put(t, s, function.Ref{Namespace: "a", ID: "f"}, "1", nil)
	put(t, s, function.Ref{Namespace: "x:/y", ID: "f:/g"}, "1", nil)
	wantNoError(t, s.PutNamespace(t.Context(), &function.Namespace{Name: "settings"})) // which alone make none
	wantNoError(t, s.PutNamespaceLimits(t.Context(), usage.Namespace{Name: "limits"}))
	wantNames(t, s, "a-b", "a", "functions", "limits", "x:/y")
	wantNoError(t, s.DeleteNamespaceLimits(t.Context(), "limits"))
	wantNoError(t, s.Delete(t.Context(), function.Ref{Namespace: "a-b", ID: "f"}))
	wantNoError(t, s.Delete(t.Context(), function.Ref{Namespace: "a", ID: "f"}))
	wantNames(t, s, "functions", "x:/y")
}
