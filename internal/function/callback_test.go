package function

import (
	"strings"
	"testing"
)

func TestCallbacksAreReadAndWritten(t *testing.T) {
	option := OptionOf("callback")
	for text, want := range map[string]Callback{
		`{}`:             {},
		`{"secret":"S"}`: {Secret: "S"},
		`{"url":"https://a.example:8443/b?c=d&e","secret":"S_1"}`: {"https://a.example:8443/b?c=d&e", "S_1"},
		`{"url":"http://[::1]/","secret":"S"}`:                    {"http://[::1]/", "S"},
		`{"url":"","secret":""}`:                                  {},
	} {
		var o Options
		if fault := option.Parse(&o, []byte(text)); fault != "" || *o.Callback != want {
			t.Errorf("%s: %q, %+v", text, fault, o.Callback)
			continue
		}
		written, ok := option.Get(&o)
		var again Options
		if !ok || !option.Set(&again, written) || *again.Callback != want {
			t.Errorf("%s is written as %s", text, written)
		}
	}
}

func TestCallbacksThatCannotBeAreExplained(t *testing.T) {
	for text, want := range map[string]string{
		`"https://a.example/"`:             " is not of a type(s) object",
		`null`:                             " is not of a type(s) object",
		`{"url":1}`:                        ".url is not of a type(s) string",
		`{"url":"https://a.example/"}`:     ".secret is missing",
		`{"url":"a.example","secret":"S"}`: ".url is not an http or https URL",
		`{"url":"file:///etc/passwd","secret":"S"}`:                ".url is not an http or https URL",
		`{"url":"https:///a","secret":"S"}`:                        ".url is not an http or https URL",
		`{"url":"https://a\n.example/","secret":"S"}`:              ".url is not an http or https URL",
		`{"url":"https://u:p@a.example/","secret":"S"}`:            ".url must not have a user and a password",
		`{"url":"https://a.example/#b","secret":"S"}`:              ".url must not have a fragment",
		`{"url":"https://a.example/?b HTTP/1.1","secret":"S"}`:     ".url must not have a space",
		`{"secret":"no name"}`:                                     ".secret is no name of a secret",
		`{"urls":"https://a.example/"}`:                            ".urls is not known",
		`{"url":"https://` + strings.Repeat("a", 2048) + `.b/"}`:   ".url is not an http or https URL",
		`{"url":"https://a.example/","secret":"S","attempts":"3"}`: ".attempts is not known",
	} {
		var o Options
		if fault := OptionOf("callback").Parse(&o, []byte(text)); !strings.HasPrefix(fault, want) || o.Callback != nil {
			t.Errorf("%s: %q, want %q", text, fault, want)
		}
	}
}
