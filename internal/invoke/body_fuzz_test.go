package invoke

import (
	"encoding/json"
	"testing"

	"github.com/backstage/functions/internal/function"
)

func FuzzStepIsAddedToValidJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `{"namespace":1}`, ` { "a" : [ { } ] , "functionId" : "x" } `, `[]`, `"{"`, `{"a":1,}`, `{"a":1}}`, "{\"\xff\":1}"} {
		f.Add([]byte(seed), "ns", "id")
	}
	f.Fuzz(func(t *testing.T, body []byte, namespace, id string) {
		out := withStep(body, function.Ref{Namespace: namespace, ID: id})
		if !json.Valid(body) {
			return
		}
		var before, after any
		if err := json.Unmarshal(body, &before); err != nil {
			return // numbers too large for Go, which are valid all the same
		}
		if err := json.Unmarshal(out, &after); err != nil {
			t.Fatalf("%q became %q: %v", body, out, err)
		}
		object, ok := before.(map[string]any)
		if !ok {
			if string(out) != string(body) {
				t.Fatalf("%q became %q", body, out)
			}
			return
		}
		result := after.(map[string]any)
		for name := range object {
			if _, kept := result[name]; !kept {
				t.Fatalf("%q lost %q: %q", body, name, out)
			}
		}
		if _, ok := result["namespace"].(string); !ok {
			t.Fatalf("%q has no namespace: %q", body, out)
		}
		if _, ok := result["functionId"].(string); !ok {
			t.Fatalf("%q has no functionId: %q", body, out)
		}
	})
}
