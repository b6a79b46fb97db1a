//go:build linux

package sandbox_test

import (
	"strings"
	"testing"

	"github.com/backstage/functions/sandbox"
)

func TestNoCodeRunsInAnotherCall(t *testing.T) {
	died := make(chan sandbox.Reason, 100)
	pool := newRealPool(t, func(c *sandbox.Config) { one(c); c.Observer = deaths{died: died} })
	defer func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		close(died)
		for reason := range died {
			if reason != sandbox.ReasonRetired && reason != sandbox.ReasonEvicted {
				t.Errorf("a worker with an answer died of %s", reason)
			}
		}
	}()
	for name, leave := range map[string]string{
		"a timer":                    `setTimeout(mark, 1)`,
		"an interval":                `setInterval(mark, 1)`,
		"a timer of lodash":          `require('lodash').delay(mark, 1)`,
		"a timer that makes timers":  `setTimeout(function again() { mark(); setTimeout(again, 0) }, 0)`,
		"a timer, names overwritten": `Map.prototype.delete = Map.prototype.has = () => true; Map.prototype.get = () => ({}); setTimeout(mark, 1); clearTimeout({})`,
		"a compilation, then overwritten": `Promise.prototype.then = (f) => { f(); f() };
			setTimeout(mark, 1); WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))`,
	} {
		code := `const _ = require('lodash');
			const mark = () => { _.left = 1; console.log('left') };
			function main(req, res) {
				const seen = _.left === undefined;
				` + leave + `;
				res.send(seen);
			}`
		for range 2 {
			if start := invoke(t, pool, name, code, `true`); start == sandbox.StartWarm {
				t.Errorf("%s: the worker was used again", name)
			}
		}
	}
}

func TestLoopAfterTheAnswerIsADeadline(t *testing.T) {
	pool := newRealPool(t, loopsEnd)
	for name, code := range map[string]string{
		"at once":       `function main(req, res) { res.send(1); for (;;) {} }`,
		"in a promise":  `function main(req, res) { res.send(1); Promise.resolve().then(() => { for (;;) {} }) }`,
		"from promises": `function main(req, res) { res.send(1); (function again() { Promise.resolve().then(again) })() }`,
	} {
		_, err := pool.Invoke(t.Context(), invocation(name, code))
		wantDeath(t, name, err, sandbox.ReasonSyncDeadline)
	}
}

func TestCleanCallsKeepTheirWorker(t *testing.T) {
	pool := newRealPool(t, one)
	for name, code := range map[string]string{
		"an answer":            `function main(req, res) { res.send(true) }`,
		"an async main":        `async function main() { await 1; return true }`,
		"a timer that is over": `function main(req, res) { setTimeout(() => res.send(true), 1) }`,
		"a cleared interval": `function main(req, res) {
			let n = 0; const i = setInterval(() => { if (++n === 3) { clearTimeout(i); res.send(true) } }, 1) }`,
		"a cleared timer":   `function main(req, res) { clearTimeout(setTimeout(() => {}, 1e6)); res.send(true) }`,
		"a finished module": `function main(req, res) { require('async').parallel([f => setTimeout(f, 1)], () => res.send(true)) }`,
		"a compilation":     `async function main() { await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])); return true }`,
	} {
		invoke(t, pool, name, code, `true`)
		if start := invoke(t, pool, name, code, `true`); start != sandbox.StartWarm {
			t.Errorf("%s: the second call found a %s worker", name, start)
		}
	}
}

func TestNextCallDoesNotSeeWhatACallAdded(t *testing.T) {
	pool := newRealPool(t, one)
	for what, change := range map[string]string{
		"this.leak":              `this.leak = 1`,
		"Object.prototype.leak":  `Object.prototype.leak = 1`,
		"Array.prototype.leak":   `Array.prototype.leak = 1`,
		"Promise.prototype.leak": `Promise.prototype.leak = 1`,
		"Array.leak":             `Array.leak = 1`,
		"JSON.leak":              `JSON.leak = 1`,
		"Buffer.leak":            `Buffer.leak = 1`,
		"exports.leak":           `exports.leak = 1`,
		"module.leak":            `module.leak = 1`,
		"Backstage.leak":         `Backstage.leak = 1`,
		"Backstage.config.leak":  `Backstage.config.leak = 1`,
		"Backstage.modules.leak": `Backstage.modules.leak = 1`,
		"console.leak":           `console.leak = 1`,
		"require.leak":           `require.leak = 1`,
		"setTimeout.leak":        `setTimeout.leak = 1`,
		"!Array.prototype.map":   `delete Array.prototype.map`,
	} {
		code := `const seen = ` + what + `; function main(req, res) { ` + change + `; res.send(Boolean(seen)) }`
		code = strings.Replace(code, "main(req, res) { this.", "main(req, res) { top.", 1)
		code = "const top = this; " + code
		for range 2 {
			invoke(t, pool, what, code, `false`)
		}
	}
}
