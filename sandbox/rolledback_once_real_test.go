//go:build linux && amd64

package sandbox_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// keeping is a function whose top-level code runs once and makes what its calls change.
const keeping = `
let calls = 0
const kept = { list: [], map: new Map(), chunk: require('lodash').chunk }
const random = Math.random()
console.log('top level ' + typeof Backstage.secrets.A + ' ' + Backstage.env.B)
function main(req, res) {
	calls++
	kept.list.push(req.body)
	kept.map.set('x' + kept.map.size, Backstage.secrets.A)
	kept.chunk.left = req.body
	res.send([calls, kept.list.length, kept.map.size, Object.keys(kept.chunk).length, random > 0, Math.random()])
}`

const fewWorkers = 4

// onceInvocation is a call of code that runs once before the snapshot, and the lines that it prints.
func onceInvocation(name, code string) (inv *sandbox.Invocation, lines *[]string) {
	inv, lines = rolledBackInvocation(name, code), new([]string)
	inv.Once, inv.Secrets, inv.Env = true, []byte(`{"A":"secret"}`), []byte(`{"B":"variable"}`)
	inv.OnLog = func(line sandbox.LogLine) { *lines = append(*lines, line.Text) }
	return inv, lines
}

// body is the answer of a call as text, with what failed in it.
func body(t *testing.T, pool *sandbox.Pool, inv *sandbox.Invocation) string {
	t.Helper()
	result, err := pool.Invoke(t.Context(), inv)
	if failure, ok := errors.AsType[*sandbox.FunctionError](err); ok {
		return failure.Message
	}
	if death, ok := errors.AsType[*sandbox.DeathError](err); ok {
		return string(death.Reason)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(result.Body)
}

// rollbackPool is a pool of a few workers, each of which is compared after each call: a call that comes meanwhile gets
// another one.
func rollbackPool(t *testing.T, v version) (*sandbox.Pool, rolledBack) {
	t.Helper()
	observer := newRolledBack(t)
	pool := newRealPool(t, func(c *sandbox.Config) {
		c.Size, c.Prewarmed = fewWorkers, 0
		c.Node, c.Observer, c.RollbackAudit = v.binary(t), observer, 1
		c.Modules = append(c.Modules, "crypto", "fs")
	})
	needRollback(t, pool)
	return pool, observer
}

// wantPutBack fails t unless the worker of the last call was put back.
func (r rolledBack) wantPutBack(i int) {
	r.t.Helper()
	if cause := <-r.causes; cause != "" {
		r.t.Fatalf("rollback %d: %q", i, cause)
	}
}

// The top-level code runs before the snapshot, once, and still no call sees what another one has kept.
func TestPromiseTopLevelCodeIsInTheSnapshot(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool, observer := rollbackPool(t, v)
		inv, lines := onceInvocation("once", keeping)
		drawn := map[string]bool{}
		for i := range 20 {
			got := body(t, pool, inv)
			fixed, random, _ := strings.Cut(got, "true,")
			if fixed != "[1,1,1,1," || drawn[random] {
				t.Fatalf("call %d answers %s, the numbers before it are %v", i, got, drawn)
			}
			drawn[random] = true
			observer.wantPutBack(i)
		}
		if n := len(*lines); n == 0 || n > fewWorkers || (*lines)[n-1] != "top level string variable" {
			t.Errorf("the top-level code of up to %d workers has printed %q", fewWorkers, *lines)
		}
		if got := only(pool).Rollback.Fallbacks; len(got) > 0 {
			t.Errorf("served otherwise: %+v", got)
		}
	})
}

// leavingTopLevel are kinds of top-level code of which no snapshot can be taken, and a part of why.
var leavingTopLevel = map[string]struct{ code, why string }{
	"interval": {`setInterval(() => {}, 1e6)`, "a timer"},
	"timer":    {`new Promise(done => setTimeout(done, 1e6))`, "a timer"},
	"read":     {`require('fs').readFile('/dev/null', () => {})`, ""},
	"threads":  {`require('crypto').pbkdf2('a', 'b', 1, 8, 'sha1', () => {})`, ""},
	"wait":     {`Backstage.waitUntil(new Promise(() => {}))`, "a promise"},
	"bytes":    {`const id = require('crypto').randomBytes(8)`, "random numbers"},
	"uuid":     {`const id = require('uuid').v4()`, "random numbers"},
}

// Where the top-level code leaves what no snapshot may have, each call gets a process of its own, and the author and
// the report are told why.
func TestTopLevelCodeThatLeavesSomethingIsServedAlone(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool, _ := rollbackPool(t, v)
		for name, row := range leavingTopLevel {
			inv, lines := onceInvocation(name, row.code+`; let calls = 0
				function main(req, res) { res.send({ calls: ++calls }) }`)
			for i := range 3 {
				if got := body(t, pool, inv); got != `{"calls":1}` {
					t.Fatalf("%s: call %d answers %s", name, i, got)
				}
			}
			text := strings.Join(*lines, "\n")
			const begin = "no snapshot can be taken after the top-level code: "
			if !strings.Contains(text, begin) || !strings.Contains(text, row.why) {
				t.Errorf("%s: the log says %q, not %q", name, text, row.why)
			}
			found := false
			for _, known := range only(pool).Rollback.Fallbacks {
				found = found || known.Filename == inv.Filename && strings.Contains(known.Reason, row.why)
			}
			if !found {
				t.Errorf("%s: the report says %+v", name, only(pool).Rollback)
			}
		}
	})
}

// What Node.js draws by itself is seen, too: an address of a Blob fills its store of UUIDs, whose next ones every call
// would find.
func TestNumbersThatNodeDrawsByItselfAreInNoSnapshot(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		if v == oldest {
			t.Skip("has no globals of the web")
		}
		pool, _ := rollbackPool(t, v)
		inv, lines := onceInvocation("blob", `URL.createObjectURL(new Blob(['x']))
			function main(req, res) { res.send(crypto.randomUUID()) }`)
		inv.Web = true
		beginRollback(t, pool, true)
		drawn := map[string]bool{}
		for i := range 4 {
			got := body(t, pool, inv)
			if len(got) != len(`"00000000-0000-0000-0000-000000000000"`) || drawn[got] {
				t.Errorf("call %d answers %s", i, got)
			}
			drawn[got] = true
		}
		if text := strings.Join(*lines, "\n"); !strings.Contains(text, "random numbers were drawn") {
			t.Errorf("the log says %q", text)
		}
	})
}

// What the top-level code throws, or that it does not end, is the outcome of the call it was run for.
func TestTopLevelCodeThatFailsFailsItsCall(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool, _ := rollbackPool(t, v)
		for name, row := range map[string]struct{ code, want string }{
			"throws":   {`throw new Error('no luck')`, "no luck"},
			"status":   {`throw new NotFound('nobody')`, "nobody"},
			"broken":   {`let let = 1`, "let"},
			"endless":  {`for (;;) ;`, string(sandbox.ReasonSyncDeadline)},
			"too much": {`throw new Error(new Array(2e6).join('x'))`, "output"},
		} {
			inv, _ := onceInvocation(name, row.code+`; function main(req, res) { res.send(1) }`)
			inv.SyncTimeout = 200e6
			for i := range 2 {
				if got := body(t, pool, inv); !strings.Contains(got, row.want) {
					t.Errorf("%s: call %d: %.200s, want %s", name, i, got, row.want)
				}
			}
		}
		if got := only(pool).Rollback; !got.Available || len(got.Fallbacks) > 0 {
			t.Errorf("the report says %+v", got)
		}
		inv, _ := onceInvocation("good", `function main(req, res) { res.send('good') }`)
		if got := body(t, pool, inv); got != `"good"` {
			t.Errorf("after these a call is answered %s", got)
		}
	})
}

// A function whose workers end with each call is served by processes of its own after a few, and is told of.
func TestFunctionsLearnThatTheirWorkersEnd(t *testing.T) {
	pool, _ := rollbackPool(t, oldest)
	inv := rolledBackInvocation("writes", `const fs = require('fs')
		function main(req, res) {
			const was = fs.existsSync('/tmp/left'); fs.writeFileSync('/tmp/left', 'x'); res.send(was)
		}`)
	for i := range 6 {
		if got := body(t, pool, inv); got != "false" {
			t.Errorf("call %d answers %s", i, got)
		}
	}
	why := regexp.MustCompile(`^system_call: system call [a-z_0-9]+ \(\d+\)$`)
	if got := only(pool).Rollback.Fallbacks; len(got) != 1 || got[0].Filename != inv.Filename ||
		!why.MatchString(got[0].Reason) {
		t.Errorf("served otherwise: %+v", got)
	}
}

// A warmup is served before the snapshot: calls find what it has kept, and nothing of another call.
func TestWarmupsAreInTheSnapshot(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool, observer := rollbackPool(t, v)
		for name, row := range map[string]struct {
			code, want, log string
		}{
			"plain":  {`res.send(++calls)`, "4", ""},
			"waits":  {`setTimeout(() => res.send(++calls), 1)`, "4", ""},
			"prints": {`console.log('printed ' + req.body.x); res.send(++calls)`, "4", "printed 1"},
			"throws": {
				`calls++; if (req.body.x !== 1) throw new Error('not ready'); res.send(calls)`, "4",
				"the warmup failed: Error: not ready: ",
			},
			"streams": {
				`calls++; if (req.body.x !== 1) res.end((function* () { yield 'x' })()); else res.send(calls)`, "4",
				"the warmup failed: Error: a warmup cannot be answered with a stream: ",
			},
		} {
			inv, lines := onceInvocation(name, `let calls = 0; function main(req, res) { `+row.code+` }`)
			request := inv.Request
			request.Body, request.HTTP = []byte(`{"x":"warm"}`), []byte(`{}`) // with which there is res.end
			var err error
			if inv.Warmup, err = sandbox.NewWarmup(request, 3); err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				if got := body(t, pool, inv); got != row.want {
					t.Errorf("%s: call %d answers %s, want %s", name, i, got, row.want)
				}
				observer.wantPutBack(i)
			}
			text := strings.Join(*lines, "\n")
			if !strings.HasPrefix(text, row.log) || strings.Contains(text, "warm\n") || strings.Count(text, "failed") > 1 {
				t.Errorf("%s: printed %q", name, text)
			}
		}
	})
}

// V8 has tasks for the event loop, of which the snapshot may have one that waits. It and later ones are done in each
// call: a module of WebAssembly is compiled by such tasks.
func TestTasksThatWaitWhenTheSnapshotIsTakenAreDone(t *testing.T) {
	const code = `
	const wasm = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 6, 1, 4, 0, 65, 42, 11]
	async function main(req, res) {
		if (req.body.x === 'warm') {
			const kept = []
			for (let i = 0; i < 300000; i++) kept.push({ i, s: 'x' + i })
			for (let i = 0; i < 20; i++) kept.push(Buffer.alloc(1 << 20, 1))
			return res.send(kept.length)
		}
		const made = await WebAssembly.instantiate(Uint8Array.from(wasm))
		res.send(made.instance.exports.f())
	}`
	onEveryVersion(t, func(t *testing.T, v version) {
		pool, observer := rollbackPool(t, v)
		beginRollback(t, pool, true)
		inv, _ := onceInvocation("tasks", code)
		inv.Web = true
		request := inv.Request
		request.Body = []byte(`{"x":"warm"}`)
		var err error
		if inv.Warmup, err = sandbox.NewWarmup(request, 3); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if got := body(t, pool, inv); got != "42" {
				t.Fatalf("call %d answers %s", i, got)
			}
			observer.wantPutBack(i)
		}
	})
}

// A warmup after which no snapshot can be taken is left out, and calls are served as without one.
func TestWarmupsThatSpoilTheSnapshotAreLeftOut(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool, observer := rollbackPool(t, v)
		for name, row := range map[string]struct{ code, why string }{
			"draws": {
				`const id = require('crypto').randomBytes(4).length; res.send(++calls)`, "random numbers were drawn",
			},
			"leaves": {`setInterval(() => {}, 1e6); res.send(++calls)`, "a timer, a request or a promise is left"},
			"endless": {
				`if (req.body.x !== 1) for (;;) ; res.send(++calls)`,
				`main has not returned within 300ms, "syncTimeout" of the function: have it do less, or allow more`,
			},
		} {
			inv, lines := onceInvocation(name, `let calls = 0; function main(req, res) { `+row.code+` }`)
			inv.SyncTimeout = 300e6
			answersWithoutWarmup(t, pool, observer, inv)
			why := "no snapshot can be taken after the warmup: " + row.why
			if text := fmt.Sprint(*lines); !strings.Contains(text, why) {
				t.Errorf("%s: the log says %s", name, text)
			}
		}
	})
}

// answersWithoutWarmup gives inv a warmup that spoils its snapshot, and fails t unless its calls are the first ones
// that their workers serve, and these are put back.
func answersWithoutWarmup(t *testing.T, pool *sandbox.Pool, observer rolledBack, inv *sandbox.Invocation) {
	t.Helper()
	request := inv.Request
	request.Body = []byte(`{"x":"warm"}`)
	inv.Warmup, _ = sandbox.NewWarmup(request, 1)
	for i := range 2 {
		if got := body(t, pool, inv); got != "1" {
			t.Errorf("%s: call %d answers %s", inv.Key, i, got)
		}
		observer.wantPutBack(i)
	}
}

// Warmups together, and the top-level code, get the time of one call: so many keep no worker for longer than that.
func TestWarmupsTogetherGetTheTimeOfOneCall(t *testing.T) {
	pool, _ := rollbackPool(t, oldest)
	inv, lines := onceInvocation("slow", `let calls = 0
		function main(req, res) {
			calls++
			if (req.body.x === 1) res.send(calls)
			else setTimeout(() => res.send(1), 1000)
		}`)
	inv.AsyncTimeout = 5 * time.Second
	request := inv.Request
	request.Body = []byte(`{"x":"warm"}`)
	var err error
	if inv.Warmup, err = sandbox.NewWarmup(request, sandbox.MostWarmups); err != nil { // a quarter of an hour
		t.Fatal(err)
	}
	if got := body(t, pool, inv); got != "1" {
		t.Errorf("a call is answered %s", got)
	}
	const why = `it is not over within 5s, the time of one call for the top-level code and all requests of the warmup ` +
		`together, "timeout" of the function: `
	if text := fmt.Sprint(*lines); !strings.Contains(text, "The warmup is left out") || !strings.Contains(text, why) {
		t.Errorf("the log says %s", text)
	}
}

// What a worker does before its snapshot is CPU time of the call that it does it for, however that ends.
func TestCPUTimeBeforeTheSnapshotIsThatOfACall(t *testing.T) {
	pool, _ := rollbackPool(t, oldest)
	const loop = `; for (let i = 0; i < 4e6; i++) Math.imul(i, i); `
	const main = `; function main(req, res) { res.send(1) }`
	spent := func(name, code string, warmups int) time.Duration {
		inv, _ := onceInvocation(name, code)
		if warmups > 0 {
			inv.Warmup, _ = sandbox.NewWarmup(inv.Request, warmups)
		}
		result, err := pool.Invoke(t.Context(), inv)
		if failure, ok := errors.AsType[*sandbox.FunctionError](err); ok {
			return failure.Stats.CPU
		}
		if err != nil {
			t.Fatal(err)
		}
		return result.Stats.CPU
	}
	least := spent("in the call", `function main(req, res) {`+loop+` res.send(1) }`, 0) / 2
	for name, row := range map[string]struct {
		code    string
		warmups int
	}{
		"top level": {loop + main, 0},
		"thrown":    {loop + `throw new Error('x')` + main, 0},
		"warmups":   {`let n = 0; function main(req, res) { if (n++ < 2) {` + loop + `} res.send(1) }`, 2},
	} {
		got := spent(name, row.code, row.warmups)
		// A process ends by itself after what it has thrown, and has no clock any more once it is reaped.
		for began := time.Now(); name == "thrown" && got < least && time.Since(began) < patience; {
			got = spent(name, row.code, row.warmups)
		}
		if got < least {
			t.Errorf("%s: %v of CPU time, %v are half of what the same takes in a call", name, got, least)
		}
	}
}
