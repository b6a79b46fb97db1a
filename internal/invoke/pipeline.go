package invoke

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox"
)

// errNoSteps is a fault of the caller: an empty pipeline has no answer.
var errNoSteps = errors.New("invoke: pipeline without steps")

// StepError is that of a step of a pipeline that has failed; it wraps the error of the run.
type StepError struct {
	Ref function.Ref
	Err error
}

func (e *StepError) Error() string { return "step " + e.Ref.String() + ": " + e.Err.Error() }

// Unwrap returns the error of the run.
func (e *StepError) Unwrap() error { return e.Err }

// stoppedError is that of a pipeline which has ended between two steps. Its Stats are those of the last step that ran.
type stoppedError struct {
	next, steps int // the step that did not run, from 1, of so many
	err         error
	sandbox.Stats
}

func stopped(last *sandbox.Result, next, steps int, err error) error {
	e := &stoppedError{next: next + 1, steps: steps, err: err}
	if last != nil {
		e.Stats = last.Stats
	}
	return e
}

func (e *stoppedError) Error() string {
	return fmt.Sprintf("invoke: step %d of %d: %v", e.next, e.steps, e.err)
}

// Unwrap returns what ended it.
func (e *stoppedError) Unwrap() error { return e.err }

// ErrPipelineTimeout ends a pipeline that took longer than Options.PipelineTimeout.
var ErrPipelineTimeout = outcome.New(outcome.Outcome{
	Status: http.StatusRequestTimeout, Message: "Pipeline timeout", Fault: outcome.FaultFunction,
})

// Pipeline runs the steps one after the other, each with the method, the query and the headers of call.Request;
// call.Ref is not used. All of them are loaded before the first one runs; the first that is missing is the error then.
// The error of a step that failed is a *StepError around that of Run, and ends the pipeline. No step begins once ctx
// has ended, as it does when the caller has left, nor after Options.PipelineTimeout: the error is ErrPipelineTimeout
// then. A step that runs already goes on as a run alone does.
//
//	200       the step's body is the request body of the next; without room for it in call.Memory: ErrNoMemory
//	304       the body and status of the step before stay the answer, the next step gets the same request body
//	others    end the pipeline; the answer tells the step's namespace and ID, if its body is an object
//
// The answer has the headers and Stats of the last step that ran, and of no other; but for the type of a body that
// stays. Bytes stay bytes from step to step, with their type, for functions that take them. What a step streams goes to
// call.OnHead if it is the answer of the pipeline; else it is collected for the next step.
func (v *Invoker) Pipeline(ctx context.Context, steps []function.Ref, call Call) (*sandbox.Result, error) {
	ctx, span := v.tracer.Pipeline(ctx, call, steps)
	start := time.Now()
	ctx, cancel := v.pipelineContext(ctx)
	defer cancel()
	entries, err := v.resolve(ctx, steps, call.Found)
	if err != nil {
		status := statusOf(nil, err)
		if errors.Is(err, function.ErrNotFound) {
			v.recorder.PipelineRun(status, time.Since(start))
		}
		span.End(Ending{Status: status, Err: err})
		return nil, err
	}
	result, err := v.runSteps(ctx, steps, entries, call)
	status := statusOf(result, err)
	span.End(Ending{Status: status, Err: err})
	v.recorder.PipelineRun(status, time.Since(start))
	return result, err
}

// pipelineContext is ctx with the time that a whole pipeline may take.
func (v *Invoker) pipelineContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if v.pipelineTimeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, v.pipelineTimeout, ErrPipelineTimeout)
}

// maxResolvedCode bounds the code of steps that a pipeline keeps in memory before they run, in bytes.
const maxResolvedCode = 16 << 20

// resolve finds all steps, in order. Those beyond maxResolvedCode are nil: they are there, and are to be loaded again.
func (v *Invoker) resolve(ctx context.Context, steps []function.Ref, first Found) ([]*entry, error) {
	if len(steps) == 0 {
		return nil, errNoSteps
	}
	entries := make([]*entry, len(steps))
	var resolved int64
	for i, ref := range steps {
		e, _, err := v.entryOf(ctx, ref, first)
		if err != nil {
			return nil, err
		}
		if size := e.size(); resolved+size <= maxResolvedCode {
			entries[i] = e
			resolved += size
		}
	}
	return entries, nil
}
