package invoke

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// Call is one call of one function.
type Call struct {
	// ID names the call in logs and traces.
	ID      string
	Ref     function.Ref
	Request sandbox.Request
}

// Invoker runs functions by name. It is safe for concurrent use.
type Invoker struct {
	pool     Pool
	recorder Recorder
	output   Output
	cache    *cache
	checks   atomic.Uint64
}

// New returns an Invoker that has nothing in memory yet.
func New(o Options) *Invoker {
	o = o.withDefaults()
	return &Invoker{pool: o.Pool, recorder: o.Recorder, output: o.Output, cache: newCache(o)}
}

// Changed makes a change of the source known: no call that starts after it returns runs code that the change replaced. For
// a change of everything that holds as far as the source can be asked.
func (v *Invoker) Changed(change function.Change) { v.cache.changed(change) }

// Check runs the top-level code in a worker of its own, to learn whether it can be stored under ref. Its error is that
// of the pool: a *sandbox.FunctionError, a *sandbox.DeathError, or one of the sandbox's sentinels.
func (v *Invoker) Check(ctx context.Context, ref function.Ref, code string) error {
	id := "check-" + strconv.FormatUint(v.checks.Add(1), 10)
	_, err := v.pool.Invoke(ctx, &sandbox.Invocation{
		ID:       id,
		Kind:     sandbox.Check,
		Key:      "\x00" + id, // the key of a run begins with a namespace, which is not empty
		Group:    ref.Namespace,
		Filename: ref.Filename(),
		Code:     code,
		OnLog:    func(line sandbox.LogLine) { v.output.Print(ref, line) },
	})
	return err
}

// Run calls the function. Its error is a *function.NotFoundError, one that wraps function.ErrUnavailable when the code is
// neither in memory nor to be had, or that of the pool.
func (v *Invoker) Run(ctx context.Context, call Call) (*sandbox.Result, error) {
	start := time.Now()
	e, err := v.cache.get(ctx, call.Ref)
	if err != nil {
		return nil, err
	}
	return v.run(ctx, e, run{id: call.ID, request: call.Request, start: start, describe: runFailure})
}

// run is what run needs to know beside the function.
type run struct {
	id       string
	request  sandbox.Request
	start    time.Time
	describe func(err error, took time.Duration) string
}

func (v *Invoker) run(ctx context.Context, e *entry, r run) (*sandbox.Result, error) {
	out := v.output.Start(e.fn.Ref, r.request.Header)
	result, err := v.pool.Invoke(ctx, &sandbox.Invocation{
		ID:       r.id,
		Key:      e.key,
		Group:    e.fn.Namespace,
		Filename: e.filename,
		Code:     e.fn.Code,
		Env:      e.env,
		Request:  r.request,
		OnLog:    out.Line,
	})
	took := time.Since(r.start)
	if err != nil {
		printFailure(out, r.describe(err, took), err)
	}
	status := statusOf(result, err)
	out.Finish(status, took)
	v.recorder.FunctionRun(e.fn.Ref, status, took)
	return result, err
}
