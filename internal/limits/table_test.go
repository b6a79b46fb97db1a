package limits_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/usage"
)

func wantDisabled(t *testing.T, table *limits.Table, want ...string) {
	t.Helper()
	for _, name := range []string{"a", "b", "acme", "acme+shop", "acm", "", "A"} {
		err := table.Check(name)
		if got := err != nil; got != slices.Contains(want, name) {
			t.Errorf("%q is disabled: %t, want %q", name, got, want)
		}
		if refused, ok := errors.AsType[*limits.DisabledError](err); ok {
			o := outcome.Of(refused)
			if o.Status != 403 || o.Reason != "namespace_disabled" || o.Message != "The namespace "+name+" is disabled" {
				t.Errorf("%q is answered %+v", name, o)
			}
		}
	}
}

func TestANamespaceIsDisabledByItselfOrByItsOwner(t *testing.T) {
	table := limits.NewTable("+")
	wantDisabled(t, table)
	if !table.None() {
		t.Error("an empty table has limits")
	}
	table.Set([]usage.Namespace{{Name: "a", Disabled: true}, {Name: "b"}})
	wantDisabled(t, table, "a")
	table.Set([]usage.Namespace{{Name: "acme", Disabled: true}, {Name: "acme+shop"}})
	wantDisabled(t, table, "acme", "acme+shop")
	apart := limits.NewTable("")
	apart.Set([]usage.Namespace{{Name: "acme", Disabled: true}})
	wantDisabled(t, apart, "acme")
	table.Set(nil)
	wantDisabled(t, table)
}

func TestLimitsOfANamespaceGoBeforeThoseOfItsOwner(t *testing.T) {
	table := limits.NewTable("+")
	rate := func(calls int) usage.Limits { return usage.Limits{Rate: usage.Rate{Calls: calls, Per: 1}} }
	table.Set([]usage.Namespace{{Name: "acme", Limits: rate(1)}, {Name: "acme+shop", Limits: rate(2)}})
	for name, want := range map[string]usage.Namespace{
		"acme":      {Name: "acme", Limits: rate(1)},
		"acme+shop": {Name: "acme+shop", Limits: rate(2)},
		"acme+x":    {Name: "acme", Limits: rate(1)},
		"b":         {Name: "b"},
		"b+x":       {Name: "b"},
	} {
		if got := table.Of(name); got != want {
			t.Errorf("%s has %+v, want %+v", name, got, want)
		}
	}
}

func TestTheEndOfANamespaceIsTold(t *testing.T) {
	table := limits.NewTable("+")
	var ended []string
	watch := func(name string, namespaces ...string) func() {
		return table.Watch(namespaces, func() { ended = append(ended, name) })
	}
	wantEnded := func(want ...string) {
		t.Helper()
		slices.Sort(ended)
		if !slices.Equal(ended, want) {
			t.Errorf("ended are %q, want %q", ended, want)
		}
	}
	stopped, both := watch("stopped", "a"), watch("both", "a", "b")
	watch("of the owner", "acme+shop")
	stopped()
	table.Set([]usage.Namespace{{Name: "c", Disabled: true}, {Name: "a"}})
	wantEnded()
	table.Set([]usage.Namespace{{Name: "a", Disabled: true}})
	wantEnded("both")
	table.Set([]usage.Namespace{{Name: "a", Disabled: true}, {Name: "b", Disabled: true}})
	wantEnded("both")
	both()
	watch("late", "a")()
	wantEnded("both", "late")
	table.Set([]usage.Namespace{{Name: "acme", Disabled: true}})
	wantEnded("both", "late", "of the owner")
}
