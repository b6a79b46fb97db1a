//go:build linux

package sandbox_test

import (
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// burn is code that uses a processor for so many milliseconds by the clock.
const burn = `const burn = (ms) => { for (const end = Date.now() + ms; Date.now() < end;); };`

// The time for main ends when main has returned: to write the answer as JSON takes its own, whatever code of the
// function is asked for it.
func TestWritingTheAnswerIsNotMainsTime(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := newRealPool(t, func(c *sandbox.Config) {
			one(c)
			c.Node, c.SyncTimeout, c.AsyncTimeout = v.binary(t), 250*time.Millisecond, time.Minute
		})
		for name, code := range map[string]string{
			"toJSON":        `function main(req, res) { res.send({ toJSON() { burn(600); return 1 } }) }`,
			"an async main": `async function main(req, res) { await 1; return { toJSON() { burn(600); return 1 } } }`,
			"a proxy":       `function main(req, res) { res.send(new Proxy([1], { get(o, k) { if (k === '0') burn(600); return o[k] } })) }`,
		} {
			if _, err := pool.Invoke(t.Context(), invocation("writes", burn+code)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		loop := invocation("loops", `function main(req, res) { res.send({ a: 1 }); for (;;); }`)
		_, err := pool.Invoke(t.Context(), loop)
		wantDeath(t, "a main that goes on after send", err, sandbox.ReasonSyncDeadline)
	})
}

// What a call has told of itself does not hold for the next one of its worker.
func TestMainOfTheNextCallHasItsTime(t *testing.T) {
	pool := newRealPool(t, func(c *sandbox.Config) { one(c); c.SyncTimeout, c.AsyncTimeout = 100*time.Millisecond, time.Minute })
	inv := invocation("twice", `function main(req, res) { if (req.body.loop) for (;;); res.send({ a: 1 }) }`)
	inv.Request.Body = []byte(`{}`)
	if _, err := pool.Invoke(t.Context(), inv); err != nil {
		t.Fatal(err)
	}
	inv.Request.Body = []byte(`{"loop":true}`)
	_, err := pool.Invoke(t.Context(), inv)
	wantDeath(t, "a loop", err, sandbox.ReasonSyncDeadline)
}

func TestEndlessAnswerEndsAtTheDeadline(t *testing.T) {
	pool := newRealPool(t, func(c *sandbox.Config) { one(c); c.SyncTimeout, c.AsyncTimeout = 100*time.Millisecond, time.Second })
	_, err := pool.Invoke(t.Context(), invocation("endless", `function main(req, res) { res.send({ toJSON() { for (;;); } }) }`))
	wantDeath(t, "an endless toJSON", err, sandbox.ReasonDeadline)
}
