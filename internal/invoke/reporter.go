package invoke

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
)

// Reporter is told of runs that failed through a fault of their function, such as an error tracker wants to know of:
// errors thrown without a statusCode, those with 408 or from 500 up, and deaths of the worker. Answers that the
// function chose, whatever their status, calls that got no worker and callers that went away are none.
type Reporter interface {
	// Report must be safe for concurrent use, must not block and must keep nothing of f when it returns.
	Report(f *Failure)
}

// Failure is one such run.
type Failure struct {
	// Call is the call as the function got it; of a step of a pipeline, its Ref and Request are those of the step.
	Call Call
	// Function must not be changed.
	Function *function.Function
	// Err is or wraps a *sandbox.FunctionError or a *sandbox.DeathError. Text is what JavaScript would call
	// String(error), such as "TypeError: x is not a function".
	Err  error
	Text string
	// Source is the text of a file that the frames of Err name, other than that of the function's code. It may be nil.
	Source func(file string) (text string, ok bool)
	// Fields are those that the output sent of the run; nil when it sends none.
	Fields map[string]json.RawMessage
	// Earlier are the steps of the pipeline that ran before, in order.
	Earlier []Step
}

// Step is a step of a pipeline that has answered.
type Step struct {
	Ref    function.Ref
	Status int
	Body   json.RawMessage // nil for undefined; of a long one, the beginning
	Time   time.Time       // of its answer
}

// maxStepBody is how much of the answer of a step is kept until its pipeline has ended, in bytes.
const maxStepBody = 8 << 10

// beginningOf is what is kept of body. It keeps no more in memory than that.
func beginningOf(body json.RawMessage) json.RawMessage {
	if len(body) <= maxStepBody {
		return body
	}
	return bytes.Clone(body[:maxStepBody])
}

// Summarizer is a RunOutput that sends a record of each run.
type Summarizer interface {
	// Fields returns what the record contained, as JSON by name. It is called after Finish.
	Fields() map[string]json.RawMessage
}

// report tells the reporter of f, if it is a fault of the function.
func (v *Invoker) report(f *Failure, out RunOutput) {
	if v.reporter == nil || outcome.Of(f.Err).Fault != outcome.FaultFunction {
		return
	}
	f.Text, _ = failureTexts(f.Err)
	if s, ok := out.(Summarizer); ok {
		f.Fields = s.Fields()
	}
	v.reporter.Report(f)
}
