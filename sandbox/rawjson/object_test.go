package rawjson_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox/rawjson"
)

func ExampleObject() {
	o := rawjson.NewObject(nil)
	o.String("name", `Ada "the first" <ada@example.com>`)
	o.Visible("shown", "a\u202eb")
	o.Int("age", 36)
	o.Time("born", time.Date(1815, 12, 10, 1, 2, 3, 4_999_999, time.FixedZone("", 3600)))
	o.Strings("tags", []string{"x", "y"})
	o.Raw("more", []byte(`{}`))
	fmt.Println(string(o.End()))
	// Output: {"name":"Ada \"the first\" <ada@example.com>","shown":"a\u202eb","age":36,"born":"1815-12-10T00:02:03.004Z","tags":["x","y"],"more":{}}
}

func ExampleMembers() {
	for name, value := range rawjson.Members([]byte(`{"a": 1e3, "b": [true]}`)) {
		fmt.Println(rawjson.Unquote(name), string(value))
	}
	// Output:
	// a 1e3
	// b [true]
}

func TestObjectIsAppendedAndExtended(t *testing.T) {
	empty := rawjson.NewObject([]byte("x="))
	whole := empty.End()
	if string(whole) != "x={}" {
		t.Fatalf("got %s", whole)
	}
	for _, want := range []string{`x={"a":{}}`, `x={"a":{},"b":[]}`} {
		o := rawjson.ExtendObject(whole)
		if want == `x={"a":{}}` {
			o.Raw("a", []byte("{}"))
		} else {
			o.Strings("b", nil)
		}
		if whole = o.End(); string(whole) != want {
			t.Errorf("got %s, want %s", whole, want)
		}
	}
}

func TestArrayIndicesAreThoseOfECMAScript(t *testing.T) {
	for name, want := range map[string]uint32{"0": 0, "1": 1, "10": 10, "4294967294": 1<<32 - 2} {
		if got, ok := rawjson.ArrayIndex(name); !ok || got != want {
			t.Errorf("%q: %d, %v", name, got, ok)
		}
	}
	for _, name := range []string{"", "-0", "-1", "+1", "01", "00", "1.0", "1e1", " 1", "a", "4294967295", "4294967296", "99999999999", "٣"} {
		if got, ok := rawjson.ArrayIndex(name); ok {
			t.Errorf("%q: %d", name, got)
		}
	}
	names := []string{"b", "10", "a", "4294967295", "2", "01", "4294967294", "__proto__"}
	slices.SortStableFunc(names, rawjson.CompareKeys)
	want := []string{"2", "10", "4294967294", "b", "a", "4294967295", "01", "__proto__"}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}
