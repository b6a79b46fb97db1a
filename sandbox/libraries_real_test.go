package sandbox_test

import (
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// A library is code that brings one along which changes built-in objects, or leaves a mark on them.
type library struct {
	Name, Code string
	Want       json.RawMessage
	Marks      bool // on every version
}

// What libraries do to the built-in objects is allowed, and seen by no later call.
func TestLibrariesMayChangeBuiltInObjects(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		out, err := exec.CommandContext(t.Context(), v.binary(t), "../runner-js/test/libraries.js").Output()
		if err != nil {
			t.Fatal(err)
		}
		var libraries []library
		if err := json.Unmarshal(out, &libraries); err != nil || len(libraries) == 0 {
			t.Fatal(err, "of", len(libraries))
		}
		pool := arena(t, v, nil)
		defer pool.Close()
		for _, l := range libraries {
			inv := invocation("library", l.Code)
			inv.Key = l.Name
			trial := *inv
			trial.Kind = sandbox.Check
			if _, err := pool.Invoke(t.Context(), &trial); err != nil {
				t.Errorf("%s: is not let in: %v", l.Name, err)
			}
			for i := range 2 {
				result, err := pool.Invoke(t.Context(), inv)
				if err != nil || string(result.Body) != string(l.Want) {
					t.Errorf("%s: call %d: %s, %v, want %s", l.Name, i, bodyOf(result), err, l.Want)
				} else if i > 0 && l.Marks && result.Start == sandbox.StartWarm {
					t.Errorf("%s: the worker is used again", l.Name)
				}
			}
		}
	})
}
