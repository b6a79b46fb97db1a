package contracttest

import (
	"net/http"
	"strings"
	"testing"
)

func TestEachRowHasNamesOfItsOwn(t *testing.T) {
	rows, err := parse([]byte(`[
		{"name": "a", "steps": [{"request": {"path": "/{ns}/{ns2}/{ns}"}, "expect": {"status": 200, "body": "{host}"}}]},
		{"name": "b", "steps": [{"request": {"path": "/{ns}"}, "expect": {"status": 200}}]}
	]`), "run", "h:1")
	if err != nil {
		t.Fatal(err)
	}
	if got := rows[0].Steps[0].Request.Path; got != "/a-run-0000/b-run-0000/a-run-0000" {
		t.Errorf("the first path is %s", got)
	}
	if got := rows[1].Steps[0].Request.Path; got != "/a-run-0001" {
		t.Errorf("the second path is %s", got)
	}
	if got := *rows[0].Steps[0].Expect.Body; got != "h:1" {
		t.Errorf("the host is %s", got)
	}
}

func TestBrokenRowsAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no array":       `{}`,
		"unknown member": `[{"name": "a", "stepz": []}]`,
		"no name":        `[{"steps": []}]`,
		"a name twice":   `[{"name": "a", "steps": []}, {"name": "a", "steps": []}]`,
		"a deadline":     `[{"name": "a", "deadline": "lunch", "steps": []}]`,
		"a header as 1":  `[{"name": "a", "steps": [{"request": {"path": "/", "headers": {"A": 1}}, "expect": {"status": 200}}]}]`,
	} {
		if _, err := parse([]byte(text), "run", "h"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestEveryDifferenceIsAFault(t *testing.T) {
	body := func(text string) *string { return &text }
	res := &http.Response{StatusCode: 200, Header: http.Header{"X-A": {"1", "2"}}}
	for name, test := range map[string]struct {
		expect Expect
		faults int
	}{
		"all as expected": {Expect{
			Status: 200, Headers: map[string]Values{"X-A": {"1", "2"}, "X-B": nil}, HeadersMatch: map[string]string{"x-a": `\d`},
			Body: body(`{"a":1, "b":2}`), BodyMatch: `\{"a".*\}`, JSON: []byte(`{"b":2,"a":1}`),
		}, 0},
		"status":           {Expect{Status: 201}, 1},
		"one of two":       {Expect{Status: 200, Headers: map[string]Values{"X-A": {"1"}}}, 1},
		"present":          {Expect{Status: 200, Headers: map[string]Values{"X-A": nil}}, 1},
		"absent":           {Expect{Status: 200, Headers: map[string]Values{"X-B": {""}}}, 1},
		"header pattern":   {Expect{Status: 200, HeadersMatch: map[string]string{"X-A": `2`}}, 1},
		"body":             {Expect{Status: 200, Body: body("")}, 1},
		"part of the body": {Expect{Status: 200, BodyMatch: `"a":1`}, 1},
		"broken pattern":   {Expect{Status: 200, BodyMatch: `(`}, 1},
		"JSON":             {Expect{Status: 200, JSON: []byte(`{"a":1}`)}, 1},
		"everything":       {Expect{Status: 500, Body: body(""), JSON: []byte(`[]`)}, 3},
	} {
		if got := test.expect.faults(res, []byte(`{"a":1, "b":2}`)); len(got) != test.faults {
			t.Errorf("%s: %d faults: %s", name, len(got), strings.Join(got, "; "))
		}
	}
}
