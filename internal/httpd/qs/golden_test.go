package qs_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/backstage/functions/internal/httpd/qs"
)

// golden is one answer of qs 6.2.0; see testdata/refresh.js.
type golden struct {
	Group string `json:"group"`
	Query string `json:"query"`
	Want  string `json:"want"`
}

func readGolden(tb testing.TB) []golden {
	tb.Helper()
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		tb.Fatal(err)
	}
	var cases []golden
	if err := json.Unmarshal(text, &cases); err != nil {
		tb.Fatal(err)
	}
	return cases
}

func TestParseAnswersAsTheOriginalModule(t *testing.T) {
	for _, c := range readGolden(t) {
		t.Run(c.Group, func(t *testing.T) {
			if got := string(qs.Parse(c.Query).AppendJSON(nil)); got != c.Want {
				t.Errorf("Parse(%q)\n got %s\nwant %s", c.Query, got, c.Want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range readGolden(f) {
		f.Add(c.Query)
	}
	f.Add("a=\xff&\xff[\xc3]=%")
	f.Fuzz(func(t *testing.T, query string) {
		v := qs.Parse(query)
		if v.Kind() != qs.Object {
			t.Fatalf("Parse(%q) is of kind %d", query, v.Kind())
		}
		text := v.AppendJSON(nil)
		if !json.Valid(text) {
			t.Fatalf("Parse(%q) is not JSON: %s", query, text)
		}
		if again := qs.Parse(query).AppendJSON(nil); string(again) != string(text) {
			t.Fatalf("Parse(%q) differs between two calls:\n%s\n%s", query, text, again)
		}
		// An escape is at most six times as long as what it stands for, and each parameter adds a few brackets.
		if limit := 64 + 24*len(query); len(text) > limit {
			t.Fatalf("Parse(%q) grew from %d bytes to %d", query, len(query), len(text))
		}
	})
}
