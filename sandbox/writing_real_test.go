//go:build linux

package sandbox_test

import (
	"errors"
	"os"
	"path/filepath"
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
		for name, code := range map[string]string{
			"a main that goes on after send":      `function main(req, res) { res.send({ a: 1 }); for (;;); }`,
			"a promise that goes on after send":   `function main(req, res) { res.send({ a: 1 }); Promise.resolve().then(() => { for (;;); }) }`,
			"an async main that goes on":          `async function main(req, res) { res.send({ a: 1 }); await 1; for (;;); }`,
			"what goes on after a slow answer":    `function main(req, res) { res.send({ toJSON() { burn(600); return 1 } }); Promise.resolve().then(() => { for (;;); }) }`,
			"what goes on after a failing answer": `function main(req, res) { res.send({ toJSON() { throw 1 } }); Promise.resolve().then(() => { for (;;); }) }`,
			"what goes on after a large answer":   `function main(req, res) { res.send('x'.repeat(1e6)); Promise.resolve().then(() => { for (;;); }) }`,
		} {
			_, err := pool.Invoke(t.Context(), invocation("loops", burn+code))
			wantDeath(t, name, err, sandbox.ReasonSyncDeadline)
		}
	})
}

// Where Node.js has other flags before those of the pool, and where a module names the process, that is seen too.
func TestWritingTheAnswerIsSeenHoweverNodeIsStarted(t *testing.T) {
	dir := t.TempDir()
	module := filepath.Join(dir, "node_modules", "titled", "index.js")
	wrapper := filepath.Join(dir, "node")
	onEveryVersion(t, func(t *testing.T, v version) {
		if err := errors.Join(
			os.MkdirAll(filepath.Dir(module), 0o755),
			os.WriteFile(module, []byte(`process.title = 'titled'`), 0o644),
			os.WriteFile(wrapper, []byte("#!/bin/sh\nexec "+v.binary(t)+` --no-warnings --no-deprecation "$@"`), 0o755),
		); err != nil {
			t.Fatal(err)
		}
		for name, change := range map[string]func(*sandbox.Config){
			"flags before":      func(c *sandbox.Config) { c.Node = wrapper },
			"a module's title":  func(c *sandbox.Config) { c.Modules, c.ModulesDir = []string{"titled"}, dir },
			"both of these two": func(c *sandbox.Config) { c.Node, c.Modules, c.ModulesDir = wrapper, []string{"titled"}, dir },
		} {
			pool := newRealPool(t, func(c *sandbox.Config) {
				one(c)
				c.Node, c.Isolation = v.binary(t), sandbox.IsolationNone // a jail shows no script
				c.SyncTimeout, c.AsyncTimeout = 100*time.Millisecond, time.Minute
				change(c)
			})
			code := burn + `function main(req, res) { res.send({ toJSON() { burn(300); return 1 } }) }`
			if _, err := pool.Invoke(t.Context(), invocation("writes", code)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
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
