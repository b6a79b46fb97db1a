//go:build linux

package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

func TestCallsMayHaveTimeoutsOfTheirOwn(t *testing.T) {
	const never = `async function main(req, res) { if (req.body === 'loop') for (;;); await new Promise(() => {}) }`
	const late = `function main(req, res) { for (const end = Date.now() + 200; Date.now() < end;); setTimeout(() => res.send(1), 200) }`
	for name, row := range map[string]struct {
		pool, call [2]time.Duration // sync and async
		code, body string
		want       sandbox.Reason // empty for an answer
	}{
		"a shorter one for main":       {[2]time.Duration{patience, patience}, [2]time.Duration{100 * time.Millisecond, 0}, never, `"loop"`, sandbox.ReasonSyncDeadline},
		"a shorter one for the answer": {[2]time.Duration{patience, patience}, [2]time.Duration{0, 300 * time.Millisecond}, never, `1`, sandbox.ReasonDeadline},
		"longer ones":                  {[2]time.Duration{10 * time.Millisecond, 20 * time.Millisecond}, [2]time.Duration{patience, patience}, late, `1`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			pool := newRealPool(t, func(c *sandbox.Config) {
				one(c)
				c.SyncTimeout, c.AsyncTimeout = row.pool[0], row.pool[1]
			})
			inv := invocation("timeouts", row.code)
			inv.Request.Body, inv.SyncTimeout, inv.AsyncTimeout = []byte(row.body), row.call[0], row.call[1]
			result, err := pool.Invoke(t.Context(), inv)
			if row.want != "" {
				wantDeath(t, name, err, row.want)
			} else if err != nil || string(result.Body) != "1" {
				t.Errorf("got %+v, %v", result, err)
			}
		})
	}
}

// Reading and compiling much code takes longer than main may, and is not main's time. What loops is found all the same.
func TestMuchCodeHasTimeToBeLoaded(t *testing.T) {
	const part = "function f(a, b) { const x = a + b * 7; return x > 7 ? { x, y: [a, b, 's'], z(q) { return q + x } } : x }\n"
	much := strings.Repeat(part, 3000)
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := newRealPool(t, func(c *sandbox.Config) {
			one(c)
			c.Node, c.SyncTimeout, c.AsyncTimeout = v.binary(t), 20*time.Millisecond, patience
		})
		for name, kinds := range map[string][]sandbox.Kind{"checked": {sandbox.Check, sandbox.Run}, "run": {sandbox.Run}} {
			for i, kind := range kinds {
				inv := invocation("much "+name, much+`function main(req, res) { res.send(1) }`)
				inv.Kind = kind
				if _, err := pool.Invoke(t.Context(), inv); err != nil {
					t.Errorf("%s, call %d: %v", name, i, err)
				}
			}
		}
		_, err := pool.Invoke(t.Context(), invocation("loops", much+`function main() { for (;;); }`))
		wantDeath(t, "a loop", err, sandbox.ReasonSyncDeadline)
	})
}
