//go:build linux

package sandbox_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// nakedRunner runs the code of functions as its own, without any of the real runner's care: send writes a line, raw
// bytes, fs and id are there for the taking. What a worker that was taken over could do, it does.
const nakedRunner = `
const fs = require('fs');
process.stdout._handle.setBlocking(true);
const raw = text => { for (let b = Buffer.from(text); b.length > 0;) b = b.slice(fs.writeSync(1, b)); };
const send = frame => raw((typeof frame === 'string' ? frame : JSON.stringify(frame)) + '\n');
let rest = '';
function line() {
  const chunk = Buffer.alloc(65536);
  for (let at; (at = rest.indexOf('\n')) < 0;) {
    const n = fs.readSync(0, chunk, 0, chunk.length, null);
    if (n === 0) process.exit(0);
    rest += chunk.toString('latin1', 0, n);
  }
  const at = rest.indexOf('\n');
  const text = rest.slice(0, at);
  rest = rest.slice(at + 1);
  return text;
}
const result = (id, body) => ({ type: 'result', id, reusable: true, status: 200, headers: [], body });
let run;
function serve() {
  for (;;) {
    const message = JSON.parse(line());
    if (message.type === 'load') run = new Function('id', 'send', 'raw', 'fs', 'result', message.code);
    else {
      const out = run(message.id, send, raw, fs, result);
      if (out === 'later') return;
      if (out !== 'silent') send(result(message.id, out || 'served'));
    }
  }
}
`

// nakedPool is a pool whose workers run begin, then the functions they are given.
func nakedPool(tb testing.TB, begin string, change func(*sandbox.Config)) (*sandbox.Pool, error) {
	tb.Helper()
	cfg := realConfig(tb)
	cfg.Runner = filepath.Join(tb.TempDir(), "main.js")
	if err := os.WriteFile(cfg.Runner, []byte(nakedRunner+begin), 0o600); err != nil {
		tb.Fatal(err)
	}
	cfg.Isolation = sandbox.IsolationNone
	cfg.Size, cfg.Prewarmed = 2, 0
	if change != nil {
		change(&cfg)
	}
	pool, err := sandbox.New(context.Background(), cfg)
	if err == nil {
		tb.Cleanup(func() {
			if err := pool.Close(); err != nil {
				tb.Error(err)
			}
		})
	}
	return pool, err
}

const ready = `line(); send({ type: 'ready', pid: process.pid, node: process.version });`

func TestRunnerThatDoesNotBecomeReadyIsAnError(t *testing.T) {
	for name, row := range map[string]struct {
		begin  string
		reason sandbox.Reason
		text   string
	}{
		"exits at once":          {`process.exit(3)`, sandbox.ReasonExit, "with code 3"},
		"throws":                 {`throw new Error('no luck')`, sandbox.ReasonExit, "no luck"},
		"ends":                   {`line()`, sandbox.ReasonExit, "with code 0"},
		"dies of a signal":       {`process.kill(process.pid, 'SIGSEGV'); for (;;);`, sandbox.ReasonSignal, "SIGSEGV"},
		"prints":                 {`line(); send('Server is listening')`, sandbox.ReasonProtocol, `want {"type":"`},
		"answers first":          {`line(); send(result('1', 1)); serve()`, sandbox.ReasonProtocol, "result frame before ready"},
		"writes without end":     {`line(); for (;;) raw('x'.repeat(1 << 20))`, sandbox.ReasonProtocol, `want {"type":"`},
		"greets without end":     {`line(); raw('{"type":"ready","pid":'); for (;;) raw('1'.repeat(1 << 20))`, sandbox.ReasonOutput, "too long: ready"},
		"closes its output":      {`fs.closeSync(1); setInterval(() => {}, 1000)`, sandbox.ReasonProtocol, ""},
		"half a frame, then end": {`line(); raw('{"type":"rea'); process.exit(0)`, sandbox.ReasonExit, "with code 0"},
	} {
		_, err := nakedPool(t, row.begin, nil)
		var death *sandbox.DeathError
		if !errors.As(err, &death) || death.Reason != row.reason || !strings.Contains(err.Error(), row.text) {
			t.Errorf("%s: got %v, want %s and %q", name, err, row.reason, row.text)
		}
	}
}

func TestRunnerThatIsNeverReadyIsGivenUp(t *testing.T) {
	_, err := nakedPool(t, `setInterval(() => {}, 1000)`, func(c *sandbox.Config) { c.StartTimeout = 300 * time.Millisecond })
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "not ready in time") {
		t.Errorf("got %v", err)
	}
}

func TestBreachOfProtocolKillsAndIsNamed(t *testing.T) {
	pool, err := nakedPool(t, ready+`serve()`, func(c *sandbox.Config) { c.Limits.Logs = 1000 })
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		code   string
		reason sandbox.Reason
		text   string
	}{
		"garbage":                  {`raw('Segmentation fault\n')`, sandbox.ReasonProtocol, `want {"type":"`},
		"another call's answer":    {`send(result('x' + id, 1))`, sandbox.ReasonProtocol, "during call"},
		"another call's log":       {`send({ type: 'log', id: 'x', level: 'info', text: '' })`, sandbox.ReasonProtocol, "during call"},
		"ready again":              {`send({ type: 'ready', id: id })`, sandbox.ReasonProtocol, "ready frame"},
		"an empty line":            {`send({ type: 'pending', id }); raw('\n'); setInterval(() => {}, 1000); return 'later'`, sandbox.ReasonProtocol, ""},
		"V8's last words":          {`raw('\n<--- Last few GCs --->\n\n'); process.abort()`, sandbox.ReasonSignal, "SIGABRT"},
		"an unknown type":          {`send({ type: 'exec', id: id })`, sandbox.ReasonProtocol, "unknown frame type"},
		"a header that breaks out": {`send({ type: 'result', id, reusable: true, status: 200, headers: [['a', '\r\nb: c']] })`, sandbox.ReasonProtocol, "control character"},
		"an endless line":          {`for (;;) raw('x'.repeat(1 << 20))`, sandbox.ReasonProtocol, `want {"type":"`},
		"an endless answer":        {`raw('{"type":"result","id":"' + id + '",'); for (;;) raw('x'.repeat(1 << 20))`, sandbox.ReasonOutput, "too long: result"},
		"an answer of 100 MB":      {`raw('{"type":"result","id":"' + id + '",'); for (let i = 0; i < 100; i++) raw('x'.repeat(1 << 20)); raw('\n')`, sandbox.ReasonOutput, "too long: result"},
		"an error of 2 MB":         {`send({ type: 'error', id, reusable: true, status: 0, message: 'x'.repeat(2 << 20) })`, sandbox.ReasonOutput, "too long: error"},
		"a log line of 2 MB":       {`send({ type: 'log', id, level: 'info', text: 'x'.repeat(2 << 20) })`, sandbox.ReasonOutput, "too long: log"},
		"a pending of 2 kB":        {`raw('{"type":"pending","id":"' + id + '"' + ' '.repeat(2000) + '}\n')`, sandbox.ReasonOutput, "too long: pending"},
		"too many headers":         {`send(Object.assign(result(id, 1), { headers: Array(257).fill(['a', 'b']) }))`, sandbox.ReasonProtocol, "header lines"},
		"headers of 65 kB":         {`send(Object.assign(result(id, 1), { headers: [['a', 'b'.repeat(65536)]] }))`, sandbox.ReasonProtocol, "headers of more"},
		"logs without end":         {`for (;;) send({ type: 'log', id, level: 'info', text: 'x' })`, sandbox.ReasonOutput, "logs"},
		"logs of nothing":          {`for (;;) send({ type: 'log', id, level: 'info', text: '' })`, sandbox.ReasonOutput, "logs"},
		"a chunk of no stream":     {`send({ type: 'pending', id }); send({ type: 'chunk', id, size: 1 }); raw('x')`, sandbox.ReasonProtocol, "no streamed answer"},
		"a head too early":         {`send({ type: 'head', id, status: 200, headers: [] })`, sandbox.ReasonProtocol, "none may begin"},
		"an end of no stream":      {`send({ type: 'end', id, reusable: true })`, sandbox.ReasonProtocol, "does not fit"},
		"a chunk without end":      {`send({ type: 'pending', id }); raw('{"type":"chunk","id":"' + id + '","size":'); for (;;) raw('1'.repeat(1 << 20))`, sandbox.ReasonOutput, "too long: chunk"},
		"a chunk of 1 GB":          {`send({ type: 'pending', id }); send({ type: 'chunk', id, size: 1 << 30 }); for (;;) raw('x'.repeat(1 << 20))`, sandbox.ReasonProtocol, "a chunk of"},
		"output closed":            {`send({ type: 'pending', id }); fs.closeSync(1); setInterval(() => {}, 1000); return 'later'`, sandbox.ReasonProtocol, ""},
		"half an answer":           {`raw('{"type":"result"'); process.exit(0)`, sandbox.ReasonExit, "with code 0"},
		"exit":                     {`process.exit(7)`, sandbox.ReasonExit, "with code 7"},
		"last words":               {`fs.writeSync(2, 'no more'); process.exit(0)`, sandbox.ReasonExit, "no more"},
		"abort":                    {`process.abort()`, sandbox.ReasonSignal, "SIGABRT"},
	} {
		inv := invocation("naked "+name, row.code)
		_, err := pool.Invoke(t.Context(), inv)
		var death *sandbox.DeathError
		if !errors.As(err, &death) || death.Reason != row.reason || !strings.Contains(err.Error(), row.text) {
			t.Errorf("%s: got %v, want %s and %q", name, err, row.reason, row.text)
		}
		if result, err := pool.Invoke(t.Context(), invocation("sane", ``)); err != nil || string(result.Body) != `"served"` {
			t.Errorf("%s: the next call got %v, %v", name, result, err)
		}
	}
	awaitStats(t, pool, "afterwards", func(s sandbox.PoolStats) bool { return s.Busy == 0 && s.Queued == 0 })
}

func TestAWorkerThatSaysNothingMoreMeetsTheDeadline(t *testing.T) {
	pool, err := nakedPool(t, ready+`serve()`, waitsEnd)
	if err != nil {
		t.Fatal(err)
	}
	_, err = pool.Invoke(t.Context(), invocation("nothing", `setInterval(() => {}, 1000); send({ type: 'pending', id }); return 'later'`))
	wantDeath(t, "nothing", err, sandbox.ReasonDeadline)
}

func TestAnswerWrittenBeforeItsCallIsNotTaken(t *testing.T) {
	pool, err := nakedPool(t, ready+`serve()`, nil)
	if err != nil {
		t.Fatal(err)
	}
	// The answer, and in the same write one for the call that would come next, were calls counted.
	inv := invocation("forger", `
		const next = (parseInt(id, 36) + 1).toString(36);
		raw(JSON.stringify(result(id, 'mine')) + '\n' + JSON.stringify(result(next, 'forged')) + '\n');
		return 'silent';`)
	for i, want := range []string{`"mine"`, `"mine"`} {
		result, err := pool.Invoke(t.Context(), inv)
		if err != nil || string(result.Body) != want || result.Start == sandbox.StartWarm {
			t.Errorf("call %d: got %+v, %v; want %s from a new worker", i, result, err, want)
		}
	}
}

func TestNamesOfCallsCannotBeGuessed(t *testing.T) {
	pool, err := nakedPool(t, ready+`serve()`, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, key := range []string{"a", "a", "b"} {
		result, err := pool.Invoke(t.Context(), invocation(key, `return id`))
		if err != nil {
			t.Fatal(err)
		}
		if id := string(result.Body); seen[id] || len(id) < 8 {
			t.Errorf("call of %s is named %s, others %v", key, id, seen)
		} else {
			seen[id] = true
		}
	}
}
