package function_test

import (
	"reflect"
	"testing"

	"github.com/backstage/functions/internal/function"
)

func TestEveryFieldOfOptionsIsInTheTable(t *testing.T) {
	if fields := reflect.TypeFor[function.Options]().NumField(); fields != len(function.AllOptions) {
		t.Errorf("%d fields, %d options in the table", fields, len(function.AllOptions))
	}
	for i := range function.AllOptions {
		option := &function.AllOptions[i]
		t.Run(option.Name, func(t *testing.T) {
			var o function.Options
			if value, ok := option.Get(&o); ok {
				t.Fatalf("it is set before: %q", value)
			}
			if !option.Set(&o, "7") {
				t.Fatal("7 is refused")
			}
			if value, ok := option.Get(&o); !ok || value != "7" {
				t.Errorf("got %q, %v", value, ok)
			}
			if reflect.ValueOf(o).Field(i).IsNil() {
				t.Errorf("it is not field %d", i)
			}
			for other, value := range o.Given() {
				if other != option || value != "7" {
					t.Errorf("%s is given as %q", other.Name, value)
				}
			}
			if function.OptionOf(option.Name) != option {
				t.Error("its name finds another one")
			}
		})
	}
}

func TestNumbersHaveBounds(t *testing.T) {
	for _, value := range []string{"", "x", "-1", "1.5", "1000000001", "99999999999999999999"} {
		var o function.Options
		if function.OptionOf("maxInvocations").Set(&o, value) || o.MaxInvocations != nil {
			t.Errorf("%q is taken", value)
		}
	}
}

func TestGivenOptionsGoBeforeStoredOnes(t *testing.T) {
	old, new8, one, two := "old", "node8", 1, 2
	got := function.Options{Runtime: &new8, MaxInvocations: &one}.Over(function.Options{Runtime: &old, MaxConcurrency: &two})
	if want := (function.Options{Runtime: &new8, MaxInvocations: &one, MaxConcurrency: &two}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}
