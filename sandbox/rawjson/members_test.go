package rawjson_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/backstage/functions/sandbox/rawjson"
)

func TestMembersAreThoseOfAnObject(t *testing.T) {
	for text, want := range map[string]string{
		` { "a" : 1 , "b":{"x":[1,{}]},"a":"\"}" } `: `"a"=1 "b"={"x":[1,{}]} "a"="\"}"`,
		`{"":null}`: `""=null`,
		`{}`:        ``,
		`[{"a":1}]`: ``,
		`"a"`:       ``,
		``:          ``,
		`{"a":1,"b`: `"a"=1`,
		`{"a":1 2}`: `"a"=1`,
		`{"a" 1}`:   ``,
		`{"a":[}`:   ``,
	} {
		var got []string
		for name, value := range rawjson.Members([]byte(text)) {
			got = append(got, string(name)+"="+string(value))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %s", text, got, want)
		}
	}
}

func TestMembersReadNoFurtherThanAsked(t *testing.T) {
	for name := range rawjson.Members([]byte(`{"a":1,`)) {
		if string(name) != `"a"` {
			t.Errorf("got %s", name)
		}
		break
	}
}

func FuzzMembersAreThoseOfEncodingJSON(f *testing.F) {
	f.Add(`{"a":1,"b":[{"c":"\\"}],"a":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var want map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &want) != nil {
			return
		}
		got := map[string]json.RawMessage{}
		for name, value := range rawjson.Members([]byte(text)) {
			var key string
			if err := json.Unmarshal(name, &key); err != nil {
				t.Fatal(err)
			}
			got[key] = value
		}
		if !maps.EqualFunc(got, want, slices.Equal[json.RawMessage]) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	})
}
