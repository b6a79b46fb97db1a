package sentry

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// The frames of a function of files are those of the files, with their lines around; those of its packages are not its
// own code.
func TestFramesOfFilesHaveTheAuthorsLines(t *testing.T) {
	fake := newFakeSentry(t)
	r := newReporter(t, Options{DSN: fake.dsn("key", "1")})
	f := failure("", "")
	f.Function.Code, f.Function.Artefact = "", (&function.Artefact{Code: "built\n"}).Seal()
	f.Err = &sandbox.FunctionError{
		Status: 500, Text: f.Text,
		Stack:  "    at node_modules/items/index.js:9:9\n    at order (lib/order.ts:2:14)\n    at main (gone.ts:7:1)\n    at shop/price.js:1:3",
		Frames: "at node_modules/items/index.js:9:9\nat order (lib/order.ts:2:14)\nat beyond (lib/order.ts:4:1)\nat main (gone.ts:7:1)\nat shop/price.js:1",
	}
	f.Source = func(file string) (string, bool) { return "one\ntwo\nthree", file == "lib/order.ts" }
	r.Report(f)
	r.Close()
	var want any
	if err := json.Unmarshal([]byte(`[
		{"filename": "shop/price.js", "module": "price", "lineno": 1, "in_app": true, "context_line": "built", "post_context": [""]},
		{"filename": "gone.ts", "module": "gone", "function": "main", "lineno": 7, "colno": 1, "in_app": true},
		{"filename": "lib/order.ts", "module": "order", "function": "order", "lineno": 2, "colno": 14, "in_app": true,
		 "pre_context": ["one"], "context_line": "two", "post_context": ["three"]},
		{"filename": "node_modules/items/index.js", "module": "index", "lineno": 9, "colno": 9, "in_app": false}
	]`), &want); err != nil {
		t.Fatal(err)
	}
	event := fake.all()[0].event
	got := event["exception"].([]any)[0].(map[string]any)["stacktrace"].(map[string]any)["frames"]
	if !reflect.DeepEqual(got, want) {
		text, _ := json.MarshalIndent(got, "", " ")
		t.Errorf("got %s", text)
	}
}
