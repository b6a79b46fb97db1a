package invoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// fixture is an Invoker among fakes.
type fixture struct {
	*Invoker
	pool     *fakePool
	source   *fakeSource
	recorder *recorder
	output   *output
}

func newFixture(fns ...function.Function) *fixture {
	f := &fixture{pool: &fakePool{}, source: newSource(fns...), recorder: &recorder{}, output: &output{}}
	f.Invoker = New(Options{Pool: f.pool, Source: f.source, Recorder: f.recorder, Output: f.output})
	return f
}

// body runs the function and returns what it answered.
func (f *fixture) body(t *testing.T, name string) string {
	t.Helper()
	result, err := f.Run(t.Context(), Call{ID: "call", Ref: ref(name)})
	if err != nil {
		t.Fatalf("run %s: %v", name, err)
	}
	return string(result.Body)
}

func TestRunHandsThePoolAllOfTheCall(t *testing.T) {
	fn := stored("shop/price", "main code")
	fn.Env = function.NewEnv(function.Var{Name: "RATE", Value: "<7>"})
	f := newFixture(fn)
	request := sandbox.Request{
		Method: "PUT", Header: json.RawMessage(`{"host":"h"}`), Query: json.RawMessage(`{"a":"1"}`),
		Body: json.RawMessage(`[1]`),
	}
	if _, err := f.Run(t.Context(), Call{ID: "id-1", Ref: fn.Ref, Request: request}); err != nil {
		t.Fatal(err)
	}
	inv := f.pool.seen()[0]
	if inv.ID != "id-1" || inv.Kind != sandbox.Run || inv.Group != "shop" || inv.Filename != "shop/price.js" ||
		inv.Code != "main code" {
		t.Errorf("invocation %+v", inv)
	}
	if got := string(inv.Env); got != `{"RATE":"<7>"}` {
		t.Errorf("env %s", got)
	}
	if inv.Request.Method != "PUT" || string(inv.Request.Query) != `{"a":"1"}` || string(inv.Request.Body) != "[1]" {
		t.Errorf("request %+v", inv.Request)
	}
	if string(f.output.header) != `{"host":"h"}` {
		t.Errorf("output got the header %s", f.output.header)
	}
}

func TestEnvIsAbsentOnlyWhenNoneWasStored(t *testing.T) {
	empty := stored("a/empty", "x")
	empty.Env = function.NewEnv()
	f := newFixture(empty, stored("a/none", "x"))
	f.body(t, "a/empty")
	f.body(t, "a/none")
	if got := f.pool.seen(); string(got[0].Env) != "{}" || got[1].Env != nil {
		t.Errorf("env %q and %q", got[0].Env, got[1].Env)
	}
}

func TestKeyStandsForOneFunctionAndOneRevision(t *testing.T) {
	f := newFixture(stored("a/b", "one"), stored("a/c", "one"), stored("d/b", "one"))
	for _, name := range []string{"a/b", "a/c", "d/b", "a/b"} {
		f.body(t, name)
	}
	f.source.put("a/b", "two", "v2")
	f.Changed(function.Change{Ref: ref("a/b")})
	f.body(t, "a/b")
	forged := stored("a/b", "three")
	forged.Hash = function.HashOf("two")
	f.source.set(func(s *fakeSource) { s.functions[forged.Ref] = forged })
	f.Changed(function.Change{Ref: ref("a/b")})
	f.body(t, "a/b")

	calls := f.pool.seen()
	if calls[0].Key != calls[3].Key {
		t.Error("the same code of the same function got two keys")
	}
	keys := map[string]bool{}
	for i, inv := range calls {
		if i != 3 && keys[inv.Key] {
			t.Errorf("call %d shares its key %q with another function or code", i, inv.Key)
		}
		keys[inv.Key] = true
	}
}

// The function's own setting goes before the server's.
func TestReuseIsTheFunctionsOrTheServers(t *testing.T) {
	for _, row := range []struct {
		own    string
		server bool
		want   bool
	}{{"", false, false}, {"", true, true}, {"worker", true, false}, {"rollback", false, true}, {"rollback", true, true}} {
		fn := stored("a/b", "one")
		if row.own != "" {
			fn.Options.Reuse = &row.own
		}
		pool := &fakePool{}
		v := New(Options{Pool: pool, Source: newSource(fn), RollBack: row.server})
		if _, err := v.Run(t.Context(), Call{Ref: fn.Ref}); err != nil {
			t.Fatal(err)
		}
		if got := pool.seen()[0].Rollback; got != row.want {
			t.Errorf("function %q, server %v: got %v", row.own, row.server, got)
		}
	}
}

// A snapshot has what code has made of the variables before it: other variables are for other workers.
func TestOtherVariablesAreForOtherSnapshots(t *testing.T) {
	once, putBack, own := function.InitOnce, function.ReuseRollback, function.ReuseWorker
	keys := map[string]string{}
	for _, value := range []string{"1", "2", "1"} {
		for name, o := range map[string]function.Options{
			"each":   {Reuse: &putBack},
			"once":   {Reuse: &putBack, Init: &once},
			"warmed": {Reuse: &putBack, Warmup: &function.Warmup{On: true}},
			"worker": {Reuse: &own, Init: &once},
		} {
			fn := stored("a/b", "one")
			fn.Options, fn.Env = o, function.NewEnv(function.Var{Name: "X", Value: value})
			pool := &fakePool{}
			if _, err := New(Options{Pool: pool, Source: newSource(fn)}).Run(t.Context(), Call{Ref: fn.Ref}); err != nil {
				t.Fatal(err)
			}
			got := pool.seen()[0].Key
			if before, ok := keys[name+value]; ok && got != before {
				t.Errorf("%s: the same variables have another worker", name)
			}
			keys[name+value] = got
		}
	}
	for name, same := range map[string]bool{"each": true, "once": false, "warmed": false, "worker": true} {
		if (keys[name+"1"] == keys[name+"2"]) != same {
			t.Errorf("%s: the same worker for other variables: %v, want %v", name, !same, same)
		}
	}
}

// What top-level code that runs once has left is there for as long as its function, whatever is written of it
// meanwhile. A function that was deleted and stored anew starts anew.
func TestStateEndsWithItsFunction(t *testing.T) {
	once, keep, putBack := function.InitOnce, function.StateWorker, function.ReuseRollback
	for name, row := range map[string]struct {
		options function.Options
		ends    bool
	}{
		"each":     {function.Options{}, false},
		"once":     {function.Options{Init: &once}, true},
		"put back": {function.Options{Init: &once, Reuse: &putBack}, true},
		"state":    {function.Options{State: &keep, Reuse: &putBack}, true},
	} {
		key := func(created, version string) string {
			fn := stored("a/b", "one")
			fn.Options, fn.Created, fn.VersionID = row.options, created, version
			f := newFixture(fn)
			f.body(t, "a/b")
			return f.pool.seen()[0].Key
		}
		first := key("2026-01-01T00:00:00.000Z", "1")
		if again := key("2026-01-01T00:00:00.000Z", "2"); again != first {
			t.Errorf("%s: written again, it has other workers", name)
		}
		if anew := key("2026-01-02T00:00:00.000Z", "3"); (anew != first) != row.ends {
			t.Errorf("%s: stored anew, it has other workers: %v", name, anew != first)
		}
	}
}

// State that is kept by choice goes before both: its workers are not put back.
func TestStateIsKeptByChoice(t *testing.T) {
	keep, not, putBack := function.StateWorker, function.StateCall, function.ReuseRollback
	for _, row := range []struct {
		state          *string
		rollback, once bool
	}{{nil, true, false}, {&not, true, false}, {&keep, false, true}} {
		fn := stored("a/b", "one")
		fn.Options.State, fn.Options.Reuse = row.state, &putBack
		fn.Options.Warmup = &function.Warmup{On: true, Times: 3, Body: json.RawMessage(`{"n":1}`)}
		pool := &fakePool{}
		v := New(Options{Pool: pool, Source: newSource(fn), RollBack: true})
		if _, err := v.Run(t.Context(), Call{Ref: fn.Ref}); err != nil {
			t.Fatal(err)
		}
		if inv := pool.seen()[0]; inv.Rollback != row.rollback || inv.Once != row.once || inv.Warmup == nil {
			t.Errorf("%v: put back %v, top-level code once %v, warmup %v", row.state, inv.Rollback, inv.Once, inv.Warmup)
		}
	}
}

func TestKeyStandsForHowTheCodeIsLoaded(t *testing.T) {
	memory, cpu, putBack, state := int64(64<<20), 0.5, function.ReuseRollback, function.StateWorker
	classic, web, once, node := function.GlobalsClassic, function.GlobalsWeb, function.InitOnce, "node24"
	keys := map[string]string{}
	for name, row := range map[string]struct {
		options   function.Options
		web, once bool
	}{
		"plain":         {function.Options{}, false, false},
		"runtime":       {function.Options{Runtime: &node}, false, false},
		"web":           {function.Options{Globals: &web}, true, false},
		"runtime named": {function.Options{Runtime: &web}, false, false},
		"once":          {function.Options{Init: &once, Globals: &classic}, false, true},
		"memory":        {function.Options{Memory: &memory}, false, false},
		"put back":      {function.Options{Reuse: &putBack}, false, false},
		"cpu":           {function.Options{CPU: &cpu}, false, false},
		"state":         {function.Options{State: &state}, false, true},
		"warmup":        {function.Options{Warmup: &function.Warmup{On: true}}, false, false},
		"two warmups":   {function.Options{Warmup: &function.Warmup{On: true, Times: 2}}, false, false},
		"all":           {function.Options{Runtime: &node, Globals: &web, Init: &once}, true, true},
	} {
		fn := stored("a/b", "one")
		fn.Options = row.options
		f := newFixture(fn)
		f.body(t, "a/b")
		if err := f.Check(t.Context(), &fn); err != nil {
			t.Fatal(err)
		}
		for _, inv := range f.pool.seen() {
			if inv.Web != row.web || inv.Once != row.once {
				t.Errorf("%s: web %v, once %v", name, inv.Web, inv.Once)
			}
			if other, ok := keys[inv.Key]; ok && other != name {
				t.Errorf("%s and %s share the key %q", name, other, inv.Key)
			}
			keys[inv.Key] = name
		}
	}
	// Trial runs have those of calls, but for the three functions whose top-level code runs once.
	if len(keys) != 12+3 {
		t.Errorf("%d keys of twelve functions", len(keys))
	}
}

func TestKeyDoesNotChangeWithTheEnvironment(t *testing.T) {
	f := newFixture(stored("a/b", "one"))
	f.body(t, "a/b")
	fn := stored("a/b", "one")
	fn.Env, fn.VersionID = function.NewEnv(function.Var{Name: "X", Value: "1"}), "v2"
	f.source.set(func(s *fakeSource) { s.functions[fn.Ref] = fn })
	f.Changed(function.Change{Ref: fn.Ref})
	f.body(t, "a/b")
	calls := f.pool.seen()
	if calls[0].Key != calls[1].Key || string(calls[1].Env) != `{"X":"1"}` {
		t.Errorf("keys %q, %q; env %s", calls[0].Key, calls[1].Key, calls[1].Env)
	}
}

func TestMissingFunctionIsAnErrorAndCountsNothing(t *testing.T) {
	f := newFixture()
	_, err := f.Run(t.Context(), Call{Ref: ref("a/b")})
	missing, ok := errors.AsType[*function.NotFoundError](err)
	if !ok || missing.Error() != "Code 'a/b' is not found" {
		t.Errorf("error %v", err)
	}
	if f.recorder.text() != "" || f.output.text() != "" || len(f.pool.seen()) != 0 {
		t.Errorf("counted %q, printed %q, ran %d", f.recorder.text(), f.output.text(), len(f.pool.seen()))
	}
}

func TestFailedRunIsCountedAndPrinted(t *testing.T) {
	thrown := &sandbox.FunctionError{
		Status: 500, Message: "x is not defined", Text: "ReferenceError: x is not defined",
		Stack: "ReferenceError: x is not defined\n    at main (a/b.js:2)",
	}
	timeout := &sandbox.DeathError{Reason: sandbox.ReasonDeadline}
	for _, row := range []struct {
		name   string
		err    error
		status int
		lines  string
	}{
		{"thrown", thrown, 500, "ReferenceError: x is not defined|ReferenceError: x is not defined|    at main (a/b.js:2)"},
		{"thrown with status", &sandbox.FunctionError{Status: 422, Text: "BadThing: no"}, 422, "BadThing: no"},
		{
			"status of an answer that is not the last", &sandbox.FunctionError{Status: 150, Text: "Error: no"},
			500, "Error: no",
		},
		{
			"killed at the end of the server", &sandbox.DeathError{Reason: sandbox.ReasonClosed},
			503, "sandbox: worker died: closed",
		},
		{"status of no HTTP answer", &sandbox.FunctionError{Status: 42, Text: "Error: no"}, 500, "Error: no"},
		{"sync deadline", &sandbox.DeathError{Reason: sandbox.ReasonSyncDeadline}, 500, "Error: Script execution timed out."},
		{"deadline", fmt.Errorf("pool: %w", timeout), 408, "Error: Function timeout"},
		{
			"memory", &sandbox.DeathError{Reason: sandbox.ReasonMemory, Detail: "used\n128 MiB"},
			500, "sandbox: worker died: memory_limit: used|128 MiB",
		},
		{"caller gone", &sandbox.DeathError{Reason: sandbox.ReasonCanceled}, 499, "sandbox: worker died: canceled"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(stored("a/b", "x"))
				f.pool.fails("a/b.js", row.err)
				if _, err := f.Run(t.Context(), Call{Ref: ref("a/b")}); !errors.Is(err, row.err) {
					t.Errorf("error %v", err)
				}
				if want := fmt.Sprintf("a/b %d", row.status); f.recorder.text() != want {
					t.Errorf("counted %q, want %q", f.recorder.text(), want)
				}
				want := "a/b: error: Failed to run function: " + strings.ReplaceAll(row.lines, "|", "\na/b: error: ") +
					fmt.Sprintf("\na/b: finished %d after 0s", row.status)
				if f.output.text() != want {
					t.Errorf("printed\n%s\nwant\n%s", f.output.text(), want)
				}
			})
		})
	}
}

// What ran nothing leaves nothing in the function's output: else callers could fill that without a worker.
func TestARefusedCallIsCountedAndNotPrinted(t *testing.T) {
	for _, row := range []struct {
		name   string
		err    error
		status int
	}{
		{"runtime that is not there", &sandbox.RuntimeError{Name: "x"}, 501},
		{"caller gone from the queue", context.Canceled, 499},
		{"busy", fmt.Errorf("queue full: %w", sandbox.ErrBusy), 503},
		{"closed", sandbox.ErrClosed, 503},
		{"waited too long", context.DeadlineExceeded, 503},
		{"too large", sandbox.ErrTooLarge, 413},
		{"anything else", errors.New("boom"), 500},
		{"limit", &LimitError{Scope: ScopeFunction, Name: "a/b", Limit: 1}, 429},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture(stored("a/b", "x"))
			f.pool.fails("a/b.js", row.err)
			if _, err := f.Run(t.Context(), Call{Ref: ref("a/b")}); !errors.Is(err, row.err) {
				t.Errorf("error %v", err)
			}
			if want := fmt.Sprintf("a/b %d", row.status); f.recorder.text() != want {
				t.Errorf("counted %q, want %q", f.recorder.text(), want)
			}
			if f.output.text() != "" {
				t.Errorf("printed %s", f.output.text())
			}
		})
	}
}

func TestLinesOfARunReachItsOutputInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(stored("a/b", "x"))
		f.source.getDelay = 3 * time.Millisecond
		f.pool.does("a/b.js", func(inv *sandbox.Invocation) (*sandbox.Result, error) {
			inv.OnLog(sandbox.LogLine{Level: "info", Text: "one"})
			inv.OnLog(sandbox.LogLine{Level: "error", Text: "two"})
			time.Sleep(4 * time.Millisecond)
			return &sandbox.Result{Status: 201}, nil
		})
		f.body(t, "a/b")
		if got, want := f.output.text(), "a/b: info: one\na/b: error: two\na/b: finished 201 after 7ms"; got != want {
			t.Errorf("printed %q, want %q", got, want)
		}
		if got := f.recorder.took[0]; got != 7*time.Millisecond {
			t.Errorf("counted %v, loading included it took 7ms", got)
		}
	})
}

func TestCheckUsesTheWorkerThatTheFirstCallWillGet(t *testing.T) {
	f := newFixture(stored("a/b", "old"))
	refused := &sandbox.FunctionError{Text: "SyntaxError: no"}
	f.pool.does("a/b.js", func(inv *sandbox.Invocation) (*sandbox.Result, error) {
		inv.OnLog(sandbox.LogLine{Level: "info", Text: "hello"})
		return nil, refused
	})
	for range 2 {
		if err := f.Check(t.Context(), &function.Function{Ref: ref("a/b"), Code: "new"}); !errors.Is(err, refused) {
			t.Errorf("error %v", err)
		}
	}
	first, second := f.pool.seen()[0], f.pool.seen()[1]
	if first.Kind != sandbox.Check || first.Code != "new" || first.Filename != "a/b.js" || first.Env != nil ||
		first.Group != "a" {
		t.Errorf("invocation %+v", first)
	}
	if first.Key != second.Key || first.ID == second.ID {
		t.Errorf("two checks have the keys %q and %q, the IDs %q and %q", first.Key, second.Key, first.ID, second.ID)
	}
	before, after := stored("a/b", "old"), stored("a/b", "new")
	if first.Key != workerKey(&after) || first.Key == workerKey(&before) {
		t.Errorf("the check has the key %q, calls of the new code have %q", first.Key, workerKey(&after))
	}
	if want := "a/b: printed info: hello\na/b: printed info: hello"; f.output.text() != want {
		t.Errorf("printed %q, want %q", f.output.text(), want)
	}
	if f.recorder.text() != "" {
		t.Errorf("counted %q", f.recorder.text())
	}
}

func TestATrialRunFindsAWebHandler(t *testing.T) {
	for answer, want := range map[string]string{
		`"handler"`: function.BodyRaw, ``: "unset", `"other"`: "unset",
		`"{\"handler\":true,\"lowered\":\"y\"}"`: function.BodyRaw, `"{\"handler\":false,\"lowered\":\"y\"}"`: "unset",
	} {
		pool := answeringPool{&sandbox.Result{Status: 200, Body: json.RawMessage(answer)}}
		v := New(Options{Pool: pool, Source: newSource()})
		for _, given := range []*string{nil, new(string)} {
			fn := function.Function{Ref: ref("a/b"), Code: "x", Options: function.Options{Body: given}}
			if err := v.Check(t.Context(), &fn); err != nil {
				t.Fatal(err)
			}
			got := "unset"
			if fn.Options.Body != nil {
				got = *fn.Options.Body
			}
			if given != nil && got != "" || given == nil && got != want {
				t.Errorf("%s: body is %q, want %q", answer, got, want)
			}
		}
	}
}

// What was built of files may be much, and is compiled in its trial run.
func TestTheTrialRunOfFilesHasTimeToCompile(t *testing.T) {
	built := (&function.Artefact{Code: "built"}).Seal()
	long, short := 5*time.Second, 50*time.Millisecond
	for _, row := range []struct {
		artefact     *function.Artefact
		own          *time.Duration
		ofPool, want time.Duration
	}{
		{nil, nil, 100 * time.Millisecond, 0}, // which stands for that of the pool
		{nil, &short, 100 * time.Millisecond, short},
		{built, nil, 100 * time.Millisecond, minTrial},
		{built, &short, 100 * time.Millisecond, minTrial},
		{built, &long, 100 * time.Millisecond, long},
		{built, nil, long, long},
	} {
		pool := &fakePool{}
		var got time.Duration
		pool.does("a/b.js", func(inv *sandbox.Invocation) (*sandbox.Result, error) {
			got = inv.SyncTimeout
			return &sandbox.Result{Status: 200}, nil
		})
		v := New(Options{Pool: pool, Source: newSource(), SyncTimeout: row.ofPool})
		fn := function.Function{Ref: ref("a/b"), Code: "x", Artefact: row.artefact}
		fn.Options.SyncTimeout = row.own
		if err := v.Check(t.Context(), &fn); err != nil || got != row.want {
			t.Errorf("%+v: %v, %v", row, got, err)
		}
	}
}

func TestATrialRunKeepsTheLoweredCodeOfAModule(t *testing.T) {
	built := (&function.Artefact{Code: "built"}).Seal()
	for name, row := range map[string]struct {
		answer string
		before *function.Artefact
		want   string
	}{
		"a module":     {`{"handler":false,"lowered":"y"}`, nil, "y"},
		"a built one":  {`{"handler":false,"lowered":"y"}`, built, "built"},
		"a script":     {`handler`, nil, "x"},
		"nothing":      {`{"handler":true}`, nil, "x"},
		"no JSON":      {`{"lowered":`, nil, "x"},
		"another type": {`{"lowered":1}`, nil, "x"},
		"far too much": {`{"lowered":"` + strings.Repeat("y", 70<<10) + `"}`, nil, "x"},
	} {
		body, err := json.Marshal(row.answer)
		if err != nil {
			t.Fatal(err)
		}
		v := New(Options{Pool: answeringPool{&sandbox.Result{Status: 200, Body: body}}, Source: newSource()})
		fn := function.Function{Ref: ref("a/b"), Code: "x", Artefact: row.before}
		before := workerKey(&fn)
		if err := v.Check(t.Context(), &fn); err != nil || fn.Program() != row.want {
			t.Errorf("%s: workers load %.80q, %v", name, fn.Program(), err)
		}
		if got := workerKey(&fn); got != before {
			t.Errorf("%s: calls have the key %q, and the worker of the trial run %q", name, got, before)
		}
	}
}

func TestInvokerNeedsNoRecorderOutputOrLogger(t *testing.T) {
	pool := &fakePool{}
	pool.does("a/b.js", func(inv *sandbox.Invocation) (*sandbox.Result, error) {
		inv.OnLog(sandbox.LogLine{Level: "info", Text: "hello"})
		return &sandbox.Result{Status: 200}, nil
	})
	v := New(Options{Pool: pool, Source: newSource(stored("a/b", "x"))})
	if _, err := v.Run(t.Context(), Call{Ref: ref("a/b")}); err != nil {
		t.Error(err)
	}
	if err := v.Check(t.Context(), &function.Function{Ref: ref("a/b"), Code: "x"}); err != nil {
		t.Error(err)
	}
	if _, err := v.Pipeline(t.Context(), []function.Ref{ref("a/b")}, Call{}); err != nil {
		t.Error(err)
	}
}

func BenchmarkHotRun(b *testing.B) {
	v := New(Options{Pool: answeringPool{&sandbox.Result{Status: 200}}, Source: newSource(stored("a/b", "x"))})
	call := Call{ID: "id", Ref: ref("a/b")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Run(b.Context(), call); err != nil {
			b.Fatal(err)
		}
	}
}

type answeringPool struct{ result *sandbox.Result }

func (p answeringPool) Invoke(context.Context, *sandbox.Invocation) (*sandbox.Result, error) {
	return p.result, nil
}

func TestTimeoutsOfAFunctionHoldWithinBounds(t *testing.T) {
	quick, slow := 10*time.Millisecond, time.Hour
	for name, row := range map[string]struct {
		options     function.Options
		sync, async time.Duration
	}{
		"none":    {function.Options{}, 0, 0},
		"its own": {function.Options{Timeout: &quick, SyncTimeout: &quick}, quick, quick},
		"too long": {
			function.Options{Timeout: &slow, SyncTimeout: &slow}, time.Second, time.Minute,
		},
	} {
		t.Run(name, func(t *testing.T) {
			fn := stored("ns/f", "1")
			fn.Options = row.options
			pool := &fakePool{}
			v := New(Options{
				Pool: pool, Source: newSource(fn),
				Bounds: function.Bounds{Timeout: time.Minute, SyncTimeout: time.Second},
			})
			if _, err := v.Run(t.Context(), Call{Ref: fn.Ref}); err != nil {
				t.Fatal(err)
			}
			if err := v.Check(t.Context(), &fn); err != nil {
				t.Fatal(err)
			}
			run, check := pool.seen()[0], pool.seen()[1]
			if run.SyncTimeout != row.sync || run.AsyncTimeout != row.async || check.SyncTimeout != row.sync {
				t.Errorf("ran with %v and %v, tried with %v", run.SyncTimeout, run.AsyncTimeout, check.SyncTimeout)
			}
		})
	}
}

// The pool is told of code that calls fetch, and not of what loads the module of that name.
func TestCodeThatFetchesIsToldOf(t *testing.T) {
	for code, want := range map[string]bool{
		`function main(req, res) { res.send(1) }`:                                            false,
		`async function main() { return (await fetch('http://a/')).json() }`:                 true,
		`const fetch = require('node-fetch'); function main() { return fetch('http://a/') }`: false,
	} {
		pool := &fakePool{}
		v := New(Options{Pool: pool, Source: newSource(stored("ns/f", code))})
		if _, err := v.Run(t.Context(), Call{Ref: ref("ns/f")}); err != nil {
			t.Fatal(err)
		}
		if got := pool.seen()[0].Fetches; got != want {
			t.Errorf("%s: %v", code, got)
		}
	}
}
