//go:build linux

package sandbox_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// bundle is a function of half a megabyte.
func bundle(tb testing.TB) string {
	tb.Helper()
	lodash, err := os.ReadFile("../runner-js/node_modules/lodash/lodash.js")
	if err != nil {
		tb.Fatal(err)
	}
	return string(lodash) + "\nfunction main(req, res) { res.send(module.exports.chunk([1, 2, 3], 2)) }"
}

func TestCompiledCodeAnswersAsSource(t *testing.T) {
	for name, change := range map[string]func(*sandbox.Config){"forked": nil, "started directly": directly(t)} {
		pool := newRealPool(t, change)
		inv := invocation("bundle", bundle(t))
		inv.MaxInvocations, inv.Compiled = 1, new(sandbox.Compiled)
		for began := time.Now(); inv.Compiled.Size() == 0; runtime.Gosched() {
			if result, err := pool.Invoke(t.Context(), inv); err != nil || string(result.Body) != "[[1,2],[3]]" {
				t.Fatalf("%s: got %s, %v", name, bodyOf(result), err)
			}
			if time.Since(began) > patience {
				t.Fatalf("%s: nothing is compiled", name)
			}
		}
		if size := inv.Compiled.Size(); size < len(inv.Code)/4 {
			t.Errorf("%s: %d bytes of %d are compiled", name, size, len(inv.Code))
		}
		for range 5 {
			if result, err := pool.Invoke(t.Context(), inv); err != nil || string(result.Body) != "[[1,2],[3]]" {
				t.Errorf("%s: with compiled code: got %s, %v", name, bodyOf(result), err)
			}
		}
		inv.MaxInvocations = 0
		for range 5 {
			if result, err := pool.Invoke(t.Context(), inv); err != nil || string(result.Body) != "[[1,2],[3]]" {
				t.Errorf("%s: in a worker that stays: got %s, %v", name, bodyOf(result), err)
			}
		}
	}
}
