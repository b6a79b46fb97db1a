//go:build linux

package sandbox_test

import (
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
