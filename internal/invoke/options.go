package invoke

import (
	"context"
	"log/slog"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/secrets"
	"github.com/backstage/functions/internal/stacktrace"
	"github.com/backstage/functions/sandbox"
)

// Defaults of Options.
const (
	DefaultMaxStale   = time.Second
	DefaultCacheBytes = 256 << 20
)

// Pool runs code in isolated workers; *sandbox.Pool is one.
type Pool interface {
	Invoke(ctx context.Context, inv *sandbox.Invocation) (*sandbox.Result, error)
}

// Source is where functions are stored. Both methods return or wrap function.ErrNotFound for a missing function and
// function.ErrUnavailable when the store is away. What Get returns belongs to the caller.
type Source interface {
	Get(ctx context.Context, ref function.Ref) (*function.Function, error)
	// Revision is what function.Function.Revision would say of the function, without reading all of it.
	Revision(ctx context.Context, ref function.Ref) (string, error)
}

// Recorder counts runs. Calls that ran nothing, for lack of the function or of the store, are not reported; a
// pipeline with a missing step is reported with status 404. Its methods must be safe for concurrent use.
type Recorder interface {
	// FunctionRun is called in the context of the run; took is the time since its caller asked for it.
	FunctionRun(ctx context.Context, ref function.Ref, e Ending, took time.Duration)
	PipelineRun(status int, took time.Duration)
	// StreamBegun and StreamEnded are called at the begin and at the end of each answer that is streamed.
	StreamBegun()
	StreamEnded(s Streamed)
	// FunctionSetup is told of each run but those of steps how long it took to have the code: from memory or the store,
	// and read and compiled by its worker.
	FunctionSetup(took time.Duration)
}

// Output receives what functions print. Its methods must be safe for concurrent use.
type Output interface {
	// Start opens the output of one run. The request is the caller's: it may be read until Finish returns.
	Start(call Call) RunOutput
	// Print writes a line that belongs to no run, such as those of a trial run.
	Print(ref function.Ref, line sandbox.LogLine)
}

// RunOutput is the output of one run. It is used by one goroutine at a time.
type RunOutput interface {
	// Line receives one line, in order.
	Line(line sandbox.LogLine)
	// Finish is called once, after the last line, unless the call was refused and ran nothing.
	Finish(status int, took time.Duration)
}

// Options configure an Invoker. Pool and Source are required.
type Options struct {
	Pool   Pool
	Source Source
	// Recorder, Output, Reporter, Tracer and Logger may be nil: then nothing is counted, printed, reported, traced or
	// logged.
	Recorder Recorder
	Output   Output
	Reporter Reporter
	Tracer   Tracer
	Logger   *slog.Logger
	// Records keeps records of calls whose callers wait. Nil keeps none.
	Records Records
	// Stacks show errors and output of functions that were built in their authors' lines; nil shows those of the artefact.
	Stacks *stacktrace.Stacks
	// Secrets finds those that calls get; nil for none.
	Secrets *secrets.Keeper
	// Concurrency limits the calls at a time.
	Concurrency Concurrency
	// OwnerSeparator ends the name of the owner in that of a namespace. Namespaces of one owner share workers and the
	// queue as one. Empty makes each its own owner.
	OwnerSeparator string
	// Refused is told of each call that Concurrency or Limits refuse, with a *LimitError or an error of Limits. It must
	// be safe for concurrent use. Nil ignores them.
	Refused func(err error)
	// Limits holds calls to rates and quotas, and counts what they use. Nil sets no limit.
	Limits Limits
	// CancelOnDisconnect ends a call whose context ends, such as when its caller has hung up, with its worker. Else
	// what a function has begun it finishes, whether or not its caller still waits: deadlines bound it.
	CancelOnDisconnect bool
	// Stepped is told of each step of a pipeline that has ended, in the context of that. It must be safe for concurrent
	// use. Nil ignores them.
	Stepped func(ctx context.Context, call Call, status int, took time.Duration)
	// RollBack has workers put back to a snapshot after each call of functions that do not say otherwise.
	RollBack bool
	// CutAfterAnswer ends what a call has begun with its answer, whatever the functions' own settings say.
	CutAfterAnswer bool
	// Bounds are those of the functions' own options: what a stored function has beyond them runs with them.
	Bounds function.Bounds
	// SyncTimeout is the pool's own. The trial run of what was built of files has at least minTrial in its place.
	SyncTimeout time.Duration
	// PipelineTimeout is how long after the start of a pipeline its steps may begin. 0 sets no limit.
	PipelineTimeout time.Duration
	// StepBytes is the most that a step of a pipeline may stream to the next one, in bytes. 0 stands for DefaultStepBytes.
	StepBytes int64
	// MaxStale is how long a function in memory is trusted without asking the store. 0 stands for DefaultMaxStale.
	MaxStale time.Duration
	// CacheBytes bounds the code and environments in memory; those used longest ago are dropped first. 0 stands for
	// DefaultCacheBytes.
	CacheBytes int64
}

// CacheStats is the state of the functions in memory.
type CacheStats struct {
	// Hits are the calls whose function was in memory, Stale those that had to ask the store first whether it still was
	// the right one, Misses those whose function had to be loaded, or did not exist.
	Hits, Stale, Misses uint64
	// Evictions counts the functions that were dropped for lack of room.
	Evictions uint64
	// Functions are in memory now and take about Bytes of at most LimitBytes.
	Functions         int
	Bytes, LimitBytes int64
	// Away says that the store did not answer when it was last asked.
	Away bool
}

func (o Options) withDefaults() Options {
	if o.Recorder == nil {
		o.Recorder = discard{}
	}
	if o.Output == nil {
		o.Output = discard{}
	}
	if o.Tracer == nil {
		o.Tracer = untraced{}
	}
	if o.Refused == nil {
		o.Refused = func(error) {}
	}
	if o.Limits == nil {
		o.Limits = unlimited{}
	}
	if o.Stepped == nil {
		o.Stepped = func(context.Context, Call, int, time.Duration) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.StepBytes == 0 {
		o.StepBytes = DefaultStepBytes
	}
	if o.MaxStale == 0 {
		o.MaxStale = DefaultMaxStale
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	return o
}

// discard is a Recorder, an Output and a RunOutput that ignore everything.
type discard struct{}

func (discard) FunctionRun(context.Context, function.Ref, Ending, time.Duration) {}
func (discard) FunctionSetup(time.Duration)                                      {}
func (discard) PipelineRun(int, time.Duration)                                   {}
func (discard) StreamBegun()                                                     {}
func (discard) StreamEnded(Streamed)                                             {}
func (discard) Start(Call) RunOutput                                             { return discard{} }
func (discard) Print(function.Ref, sandbox.LogLine)                              {}
func (discard) Line(sandbox.LogLine)                                             {}
func (discard) Finish(int, time.Duration)                                        {}
