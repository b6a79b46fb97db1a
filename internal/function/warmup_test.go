package function_test

import (
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

func TestWarmupsAreReadAndWritten(t *testing.T) {
	for text, want := range map[string]string{
		`false`:                          `false`,
		`{}`:                             `{}`,
		`{"body":null}`:                  `{"body":null}`,
		` { "times" : 3, "body": [1] } `: `{"body":[1],"times":3}`,
		`{"method":"post","headers":{"X-A":"b"},"query":{}}`: `{"method":"POST","headers":{"x-a":"b"},"query":{}}`,
	} {
		var o function.Options
		option := function.OptionOf("warmup")
		if fault := option.Parse(&o, []byte(strings.TrimSpace(text))); fault != "" {
			t.Errorf("%s:%s", text, fault)
			continue
		}
		if got, _ := option.Get(&o); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}

func TestWrongWarmupsAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`true`:                          "is not of a type(s) object, and not false",
		`null`:                          "is not of a type(s) object, and not false",
		`{"times":0}`:                   ".times is not a whole number from 1 to 1000",
		`{"times":1001}`:                ".times is not a whole number from 1 to 1000",
		`{"method":"A B"}`:              ".method is no method of HTTP",
		`{"headers":{"a":1}}`:           ".headers is not an object of strings",
		`{"query":[]}`:                  ".query is not an object of strings",
		`{"headers":{"a b":"c"}}`:       `.headers has "a b", whose name or value no header can have`,
		`{"headers":{"a":"b\r\nx: y"}}`: `.headers has "a", whose name or value no header can have`,
		`{"headers":{"A":"b","a":"c"}}`: ".headers has a name twice, in different case",
		`{"boddy":1}`:                   ".boddy is not known",
		`{"body":"` + strings.Repeat("a", 70_000) + `"}`:                         "65536 are the most",
		`{"body":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`: "levels deep",
	} {
		var o function.Options
		if fault := function.OptionOf("warmup").Parse(&o, []byte(text)); !strings.Contains(fault, want) {
			t.Errorf("%.60s: %q, want %q", text, fault, want)
		}
	}
}
