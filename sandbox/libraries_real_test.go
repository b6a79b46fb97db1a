//go:build linux

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
		pool := arena(t, v, nil)
		for _, l := range libraries(t, v, "libraries.js") {
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

// What functions do with modules of Node.js and others works inside the jail.
func TestWaysOfFunctions(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := arena(t, v, func(c *sandbox.Config) { c.Modules = waysModules })
		for _, l := range libraries(t, v, "ways.js") {
			result, err := pool.Invoke(t.Context(), invocation(l.Name, l.Code))
			if err != nil || string(result.Body) != string(l.Want) {
				t.Errorf("%s: %s, %v, want %s", l.Name, bodyOf(result), err, l.Want)
			}
		}
	})
}

// waysModules are those of runner-js/test/ways.js.
var waysModules = []string{"events", "lodash", "os", "pino", "stream", "util", "winston"}

// libraries reads what a file of the runner's tests prints.
func libraries(t *testing.T, v version, file string) []library {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), v.binary(t), "../runner-js/test/"+file).Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []library
	if err := json.Unmarshal(out, &all); err != nil || len(all) == 0 {
		t.Fatal(err, "of", len(all))
	}
	return all
}
