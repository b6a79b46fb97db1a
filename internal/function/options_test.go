package function_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox/rawjson"
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
			sample := option.Sample()
			if !option.Set(&o, sample) {
				t.Fatalf("%q is refused", sample)
			}
			if value, ok := option.Get(&o); !ok || value != sample {
				t.Errorf("got %q, %v", value, ok)
			}
			if reflect.ValueOf(o).Field(i).IsNil() {
				t.Errorf("it is not field %d", i)
			}
			for other, value := range o.Given() {
				if other != option || value != sample {
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

func TestOptionsAreRecordedAndReadBack(t *testing.T) {
	for i := range function.AllOptions {
		option := &function.AllOptions[i]
		object := rawjson.NewObject(nil)
		option.Record(&object, option.Sample())
		for name, value := range rawjson.Members(object.End()) {
			var read, parsed function.Options
			if !option.Read(&read, value) || rawjson.Unquote(name) != option.Name {
				t.Errorf("%s: %s is not read", name, value)
			}
			if fault := option.Parse(&parsed, value); fault != "" || !reflect.DeepEqual(read, parsed) {
				t.Errorf("%s: a caller may not write %s:%s", name, value, fault)
			}
		}
		for _, other := range []string{"true", "[]", "[0]", "-1"} {
			var o function.Options
			if option.Name == "secrets" && other == "[]" { // which is a list of none
				continue
			}
			if option.Read(&o, json.RawMessage(other)) || option.Parse(&o, json.RawMessage(other)) == "" {
				t.Errorf("%s: %s is taken", option.Name, other)
			}
		}
	}
}

func TestDurationsAreKeptInOneForm(t *testing.T) {
	for given, want := range map[string]string{`"90s"`: "1m30s", `" 1 M "`: "1m", `"0.5s"`: "500ms", `""`: ""} {
		var o function.Options
		option := function.OptionOf("timeout")
		fault := option.Parse(&o, json.RawMessage(given))
		if got, ok := option.Get(&o); got != want || !ok || fault != "" {
			t.Errorf("%s is kept as %q, %v%s", given, got, ok, fault)
		}
	}
}

func TestBoundsHoldForWhatIsStored(t *testing.T) {
	long, short, none := time.Hour, time.Nanosecond, time.Duration(0)
	bounds := function.Bounds{Timeout: time.Minute, SyncTimeout: time.Second}
	got := bounds.Within(function.Options{Timeout: &long, SyncTimeout: &short})
	if *got.Timeout != time.Minute || *got.SyncTimeout != time.Millisecond {
		t.Errorf("got %v and %v", *got.Timeout, *got.SyncTimeout)
	}
	if long != time.Hour {
		t.Error("the stored option was changed")
	}
	much, little, many := int64(1<<40), int64(1), 64.0
	limits := function.Options{Memory: &much, CPU: &many}
	worker := function.Bounds{Memory: 128 << 20, CPU: 2}
	if got := worker.Within(limits); *got.Memory != 128<<20 || *got.CPU != 2 || len(worker.Faults(&limits)) != 2 {
		t.Errorf("got %d bytes and %v processors", *got.Memory, *got.CPU)
	}
	if got := worker.Within(function.Options{Memory: &little}); *got.Memory != 32<<20 {
		t.Errorf("got %d bytes", *got.Memory)
	}
	bare := function.Bounds{NoLimits: true}
	if got := bare.Within(limits); got.Memory != nil || got.CPU != nil || len(bare.Faults(&limits)) != 2 {
		t.Errorf("where workers have no limits got %+v", got)
	}
	unset := function.Options{Timeout: &none}
	if got := bounds.Within(unset); !reflect.DeepEqual(got, unset) || bounds.Faults(&unset) != nil {
		t.Errorf("what is not asked for became %+v", got)
	}
	if got := new(function.Bounds).Within(function.Options{Timeout: &long}); *got.Timeout != long {
		t.Errorf("without bounds an hour became %v", *got.Timeout)
	}
}
