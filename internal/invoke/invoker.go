package invoke

import (
	"cmp"
	"context"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/internal/secrets"
	"github.com/backstage/functions/internal/stacktrace"
	"github.com/backstage/functions/sandbox"
)

// Call is one call of one function.
type Call struct {
	// ID names the call in logs and traces.
	ID string
	// TraceID is that of the trace that it belongs to; empty for none.
	TraceID string
	// Owner is whose share of the server the call uses; the Invoker sets it.
	Owner string
	// URI is what the caller asked for, for the log; of a step it is that of the pipeline.
	URI string
	// Via says how the call came, for its record; empty stands for a run by the name of the function.
	Via     string
	Ref     function.Ref
	Request sandbox.Request
	// Found is what Find has returned for Ref, or for the first step of a pipeline; the zero value has it looked for.
	Found Found
	// OnHead takes an answer that the function streams, as sandbox.Invocation.OnHead does; nil takes none.
	OnHead func(sandbox.StreamHead) (io.Writer, error)
	// Bound ends the call with its context, with its worker, whatever CancelOnDisconnect says.
	Bound bool
	// Goes has the call go on when its context ends, whatever CancelOnDisconnect says: its answer is kept.
	Goes bool
	// Step is the number of the step of a pipeline that the call is, from 1; else 0. The Invoker sets it.
	Step int
	// Queued and OnProgress are those of sandbox.Invocation.
	Queued     *sandbox.Queued
	OnProgress func(sandbox.Progress)
	// OnFunction is told which function runs. Nil ignores it.
	OnFunction func(f *function.Function)
	// Key is that of the caller, with its limits; the zero value is none. Standing is told how the limits of the call
	// stand before it begins, or is refused, if there are any; of a pipeline it is told with each step. Nil is not.
	Key      limits.Key
	Standing func([]limits.Standing)
	// Memory bounds the bodies that a pipeline holds apart from that of Request. Nil sets no bound.
	Memory Memory
}

// Invoker runs functions by name. It is safe for concurrent use.
type Invoker struct {
	pool      Pool
	recorder  Recorder
	output    Output
	reporter  Reporter // nil when it is off
	tracer    Tracer
	records   Records // nil when none are kept
	stacks    *stacktrace.Stacks
	secrets   *secrets.Keeper
	cache     *cache
	limiter   *limiter
	refused   func(error)
	limits    Limits
	refusals  *refusals
	stepped   func(ctx context.Context, call Call, status int, took time.Duration)
	cancels   bool
	cuts      bool
	rollsBack bool
	ownerEnd  string
	checks    atomic.Uint64

	syncTimeout     time.Duration
	pipelineTimeout time.Duration // 0 for none
	stepBytes       int64
}

// New returns an Invoker that has nothing in memory yet.
func New(o Options) *Invoker {
	o = o.withDefaults()
	return &Invoker{
		pool: o.Pool, recorder: o.Recorder, output: o.Output, reporter: o.Reporter, tracer: o.Tracer,
		records: o.Records, stacks: o.Stacks, secrets: o.Secrets,
		cache: newCache(o), limiter: newLimiter(o.Concurrency, o.OwnerSeparator), ownerEnd: o.OwnerSeparator,
		refused: o.Refused, limits: o.Limits, refusals: newRefusals(o.Logger), stepped: o.Stepped,
		cancels: o.CancelOnDisconnect, cuts: o.CutAfterAnswer, rollsBack: o.RollBack,
		syncTimeout: o.SyncTimeout, pipelineTimeout: o.PipelineTimeout, stepBytes: o.StepBytes,
	}
}

// Changed makes a change of the source known: no call that starts after it returns runs code that the change replaced.
// For a change of everything that holds as far as the source can be asked.
func (v *Invoker) Changed(change function.Change) { v.cache.changed(change) }

// CacheStats returns the state of the functions in memory.
func (v *Invoker) CacheStats() CacheStats { return v.cache.stats() }

// ownerOf is whose share of the server calls of namespace use.
func (v *Invoker) ownerOf(namespace string) string { return function.Owner(namespace, v.ownerEnd) }

// minTrial is the least time for the top-level code in the trial run of what was built of files, which may run much of
// what they import.
const minTrial = time.Second

// Check runs the top-level code of f, to learn whether it can be stored, on a worker that then waits for the first call
// of it, unless that code runs once. If that shows a web handler, which reads its body as bytes, f gets the option for
// that unless it has one; of a module f gets the artefact that it was lowered to. Its error is that of the pool: a
// *sandbox.FunctionError, a *sandbox.DeathError, or one of the sandbox's sentinels; or a *LimitError.
func (v *Invoker) Check(ctx context.Context, f *function.Function) error {
	if err := v.limits.Allowed(f.Namespace); err != nil {
		return err
	}
	token, err := v.limiter.acquireTrial(f)
	if err != nil {
		v.refused(err)
		return err
	}
	defer v.limiter.release(token)
	inv := bareEntry(f, &v.cache.bounds).invocation()
	inv.ID = "check-" + strconv.FormatUint(v.checks.Add(1), 10)
	inv.Kind, inv.Owner, inv.Depth = sandbox.Check, v.ownerOf(f.Namespace), nestingOf(ctx).Depth
	if f.Artefact != nil {
		inv.SyncTimeout = max(cmp.Or(inv.SyncTimeout, v.syncTimeout), minTrial)
	}
	places := v.stacks.Of(f)
	inv.OnLog = func(line sandbox.LogLine) { v.output.Print(f.Ref, places.Line(line)) }
	result, err := v.pool.Invoke(ctx, inv)
	if err == nil {
		learn(f, result.Body)
	}
	return places.Error(err)
}

// Run calls the function. Its error is a *function.NotFoundError, one that wraps function.ErrUnavailable when the code
// is neither in memory nor to be had, a *LimitError, or that of the pool.
func (v *Invoker) Run(ctx context.Context, call Call) (*sandbox.Result, error) {
	start := time.Now()
	e, found, err := v.entryOf(ctx, call.Ref, call.Found)
	if err != nil {
		return nil, err
	}
	if call.OnFunction != nil {
		call.OnFunction(e.fn)
	}
	result, err := v.run(ctx, e, call, place{start: start})
	v.recorder.FunctionSetup(found + StatsOf(result, err).Load)
	return result, err
}

// place is where a call stands in a pipeline, if it is one of its steps.
type place struct {
	step    int       // from 1; 0 for a call alone
	earlier []Step    // those before it
	masks   *masks    // of the steps before it, to which its own is added; nil for a call alone
	start   time.Time // of the step, or of the call
}

// called is call as it is of the function of e, be it a step of a pipeline.
func (v *Invoker) called(call Call, e *entry) Call {
	call.Ref, call.Owner = e.fn.Ref, v.ownerOf(e.fn.Namespace)
	return call
}

// id makes that of a call unique among the steps of its pipeline.
func (p place) id(call string) string {
	if p.step == 0 {
		return call
	}
	return call + "." + strconv.Itoa(p.step)
}

// run runs the function of e for call, which of a step has the Ref of the pipeline.
func (v *Invoker) run(ctx context.Context, e *entry, call Call, at place) (*sandbox.Result, error) {
	call = v.called(call, e)
	call.Step = at.step
	if !e.fn.Options.LearnsCaller() {
		call.Request.Auth = nil
	}
	onHead := call.OnHead
	call.OnHead = nil // is nothing to those who are told of the call
	out := v.output.Start(call)
	places := v.stacks.Of(e.fn)
	given, refusal := v.secrets.For(ctx, e.fn.Ref, e.secrets)
	hidden := at.masks.with(given)
	late := newLateOutput(v.output, &call, places, given)
	ctx, span := v.tracer.Run(ctx, call)
	inv := e.invocation()
	inv.ID, inv.Owner, inv.Depth = at.id(call.ID), call.Owner, nestingOf(ctx).Depth
	inv.Compiled, inv.Env = &e.compiled, e.env
	inv.AsyncTimeout, inv.MaxInvocations = e.timeout, e.maxInvocations
	inv.Rollback = !e.state && (e.reuse == function.ReuseRollback || e.reuse == "" && v.rollsBack)
	if inv.Warmup = e.warmup; inv.Rollback {
		inv.Key = e.snapshotKey
	}
	giveSecrets(inv, given)
	inv.Request, inv.Outgoing = call.Request, span.Outgoing()
	inv.Detached, inv.CutAfterAnswer = (!v.cancels || call.Goes) && !call.Bound, v.cuts || e.cut
	inv.OnLog = func(line sandbox.LogLine) {
		line = given.Line(places.Line(line))
		out.Line(line)
		span.Line(line)
		if v.records != nil {
			late.last.add(line)
		}
	}
	inv.Queued, inv.Background = call.Queued, call.Queued != nil || nestingOf(ctx).Background
	if call.OnProgress != nil {
		inv.OnProgress = func(p sandbox.Progress) {
			p.Text = given.Line(sandbox.LogLine{Text: p.Text}).Text
			call.OnProgress(p)
		}
	}
	inv.OnSpan, inv.OnLate, inv.OnLateEnd = masked(span.Spans(), given), late.line, late.end
	begun := false
	if onHead != nil {
		inv.OnHead = v.watchHead(onHead, &begun)
	}
	inv.MarkValid() // the API has read the body, a worker's answer was read by the pool, and encoders wrote the rest
	var result *sandbox.Result
	err := refusal
	if err == nil {
		result, err = v.admit(ctx, e.fn, &call, inv)
	}
	err = given.Error(places.Error(err))
	took := time.Since(at.start)
	ran := begun || hasRun(err)
	if err != nil && ran && (!begun || !endOf(err).byCaller()) {
		printFailure(out, at.describe(toldOf(ctx, err), took), err)
	}
	status := statusOf(result, err)
	ending := Ending{Status: status, Stats: StatsOf(result, err), Err: err, Streamed: begun}
	if begun {
		v.recorder.StreamEnded(streamedOf(result, err))
	}
	span.End(ending)
	if ran {
		out.Finish(status, took)
	} else {
		v.refusals.add(ctx, e.fn.Ref, err)
	}
	v.recorder.FunctionRun(ctx, e.fn.Ref, ending, took)
	v.keep(e, &call, &at, &ending, took, &late.last)
	if err != nil && ran {
		call.Request.Body = hidden.JSON(call.Request.Body)
		v.report(&Failure{Call: call, Function: e.fn, Err: err, Earlier: at.earlier, Source: places.Source}, out)
	}
	return result, err
}
