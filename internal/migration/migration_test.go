package migration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

func TestTargetsAreFoundInCode(t *testing.T) {
	for text, want := range map[string][]string{
		`fetch("http://a.example/x")`:                          {"a.example:80"},
		"`https://A.example:8443/${id}`":                       {"a.example:8443"},
		`'http://user:p@w@10.0.0.1:80'`:                        nil,
		`'http://user:pw@10.0.0.1:8080'`:                       {"10.0.0.1:8080"},
		`"https://[fd00::1]:9/"`:                               {"[fd00::1]:9"},
		`mongodb+srv://u:p@db.internal/x`:                      {"db.internal:27017"},
		`redis://cache:6380`:                                   {"cache:6380"},
		"`http://${host}/x`":                                   nil,
		`{ host: 'inner', port: 1 }`:                           {"inner:443"},
		`{"hostname": "inner.example:81"}`:                     {"inner.example:81"},
		`host = "x"`:                                           {"x:443"},
		`localhost and ghost: 'y'`:                             nil,
		`http://a/ http://a/ http://b/`:                        {"a:80", "b:80"},
		`http://`:                                              nil,
		strings.Repeat("http://a.example/ ", 3*maxPerFunction): {"a.example:80"},
	} {
		var got []string
		for _, t := range targets(text) {
			got = append(got, t.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%.60s: got %q, want %q", text, got, want)
		}
	}
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, "http://h%d/ ", i)
	}
	if got := targets(many.String()); len(got) != maxPerFunction {
		t.Errorf("%d targets are told of one function", len(got))
	}
}

func TestWaysOfAnsweringThatDifferAreTold(t *testing.T) {
	for code, want := range map[string]int{
		`res.set('X-A', ['a', 'b'])`:      1,
		`res.set('X-A', 'a')`:             0,
		`throw 'text'`:                    1,
		`throw new Error('text')`:         0,
		`res.status(42)`:                  1,
		`res.status(404)`:                 0,
		`res.status(99999)`:               1,
		`if (e instanceof Error) throw e`: 1,
	} {
		if got := answers(code); len(got) != want {
			t.Errorf("%s: got %q", code, got)
		}
	}
}

func TestReportsAreForPeopleAndPrograms(t *testing.T) {
	findings := []Finding{
		{Kind: Variables, Text: "X has no effect"},
		{Kind: Names, Ref: function.Ref{Namespace: "b", ID: "x"}, Text: "third"},
		{Kind: Names, Ref: function.Ref{Namespace: "a/b", ID: "c"}, Text: "second"},
		{Kind: Names, Ref: function.Ref{Namespace: "a", ID: "b/c"}, Text: "first"},
		{Kind: Egress, Ref: function.Ref{Namespace: "b", ID: "x"}, Text: "one", Allow: "inner:80"},
		{Kind: Egress, Ref: function.Ref{Namespace: "b", ID: "y"}, Text: "again", Allow: "inner:80"},
		{Kind: Egress, Ref: function.Ref{Namespace: "c"}, Text: "denied"},
		{Kind: Egress, Ref: function.Ref{Namespace: "b"}, Text: "whole", Allow: "10.0.0.1:443"},
		{Kind: Code, Ref: function.Ref{Namespace: "a\x1b[2J", ID: "b\n"}, Text: "text with \"quotes\"\u202e\u009b2J\x7f"},
	}
	var people, programs, none strings.Builder
	for _, r := range []*Report{NewReport(&people, false), NewReport(&programs, true)} {
		for _, f := range findings {
			if err := r.Add(f); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.End(7); err != nil || r.Total() != len(findings) {
			t.Errorf("%v, %d", err, r.Total())
		}
	}
	const want = "names      namespace a, function b/c: first\n" +
		"names      namespace a/b, function c: second\n" +
		"names      namespace b, function x: third\n" +
		"code       namespace a\\u001b[2J, function b\\n: text with \"quotes\"\\u202e\\u009b2J\\u007f\n" +
		"egress     namespace b: whole\n" +
		"egress     namespace b, function x: one\n" +
		"egress     namespace b, function y: again\n" +
		"egress     namespace c: denied\n" +
		"variables  X has no effect\n" +
		"EGRESS_ALLOW=10.0.0.1:443,inner:80 allows all of these except 1, in addition to what it lists already\n" +
		"7 functions were looked at, and nothing was changed. 9 things to look at: 3 names, 1 code, 4 egress, 1 variables.\n"
	if people.String() != want {
		t.Errorf("got %q, want %q", people.String(), want)
	}
	var read struct {
		Findings  []map[string]string
		Functions int
		Counts    map[string]int
		Allow     string `json:"egressAllow"`
	}
	if err := json.Unmarshal([]byte(programs.String()), &read); err != nil || len(read.Findings) != len(findings) || read.Functions != 7 ||
		read.Counts["code"] != 1 || read.Findings[3]["id"] != "b\n" || read.Allow != "10.0.0.1:443,inner:80" ||
		!strings.HasSuffix(read.Findings[3]["text"], "\u202e\u009b2J\x7f") || strings.ContainsAny(programs.String(), "\x1b\x7f\u009b\u202e") {
		t.Errorf("%v: %s", err, programs.String())
	}
	if err := NewReport(&none, true).End(0); err != nil || !strings.HasPrefix(none.String(), `{"findings":[],"functions":0,`) {
		t.Errorf("%v: %s", err, none.String())
	}
}
