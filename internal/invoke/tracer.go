package invoke

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// Tracer follows calls. It must be safe for concurrent use.
type Tracer interface {
	// Run begins the span of one run of a function, Pipeline that of a pipeline. What belongs to the span is done in
	// the context that they return.
	Run(ctx context.Context, call Call) (context.Context, Span)
	Pipeline(ctx context.Context, call Call, steps []function.Ref) (context.Context, Span)
}

// Span is one run or pipeline as a Tracer sees it. It is used by one goroutine at a time.
type Span interface {
	// Outgoing is a JSON object of the headers by which the function's own HTTP requests join the trace; nil for none.
	Outgoing() json.RawMessage
	// Line receives each line that the function prints, in order.
	Line(line sandbox.LogLine)
	// Spans receives the parts of the run that the function itself times; nil when nobody wants to know, which costs
	// nothing.
	Spans() func(sandbox.Span)
	// End is called once, after the last line and span.
	End(e Ending)
}

// Ending is how a run or a pipeline ended.
type Ending struct {
	// Status is the HTTP status that it is counted under.
	Status int
	// Stats are those of the worker; all zero for a pipeline and when there was no worker.
	Stats sandbox.Stats
	// Err is the error of a failed one.
	Err error
	// Streamed says that its answer has begun to go to its caller in pieces: it took as long as the caller wanted it to.
	Streamed bool
}

// untraced is a Tracer and a Span that ignore everything.
type untraced struct{}

func (untraced) Run(ctx context.Context, _ Call) (context.Context, Span) { return ctx, untraced{} }
func (untraced) Pipeline(ctx context.Context, _ Call, _ []function.Ref) (context.Context, Span) {
	return ctx, untraced{}
}
func (untraced) Outgoing() json.RawMessage { return nil }
func (untraced) Line(sandbox.LogLine)      {}
func (untraced) Spans() func(sandbox.Span) { return nil }
func (untraced) End(Ending)                {}

// StatsOf tells how a call was served from either of the two results of Run, whether it succeeded or not. They are zero
// when it got no worker.
func StatsOf(result *sandbox.Result, err error) sandbox.Stats {
	if err == nil {
		return result.Stats
	}
	if stream, ok := errors.AsType[*sandbox.StreamError](err); ok {
		return stream.Stats
	}
	if thrown, ok := errors.AsType[*sandbox.FunctionError](err); ok {
		return thrown.Stats
	}
	if death, ok := errors.AsType[*sandbox.DeathError](err); ok {
		return death.Stats
	}
	if stopped, ok := errors.AsType[*stoppedError](err); ok {
		return stopped.Stats
	}
	return sandbox.Stats{}
}
