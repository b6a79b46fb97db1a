package calls

import (
	"context"
	"fmt"
	"strconv"

	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox/rawjson"
)

// run runs the function of a call, or the current step of a pipeline.
func (e *Engine) run(ctx context.Context, c *queue.Call, step invoke.StepCall) (invoke.Stepped, error) {
	if len(c.Steps) == 0 {
		result, err := e.Invoker.Run(ctx, step.Call)
		return invoke.Stepped{Result: result, Ended: true}, err
	}
	step.Steps, step.Number = c.Functions(), c.Step+1
	return e.Invoker.Step(ctx, step)
}

// advance settles a step that others follow. What the next one gets is kept until that has succeeded.
func (e *Engine) advance(c *queue.Call, did *invoke.Stepped, detail []byte) *queue.Settlement {
	detail = ofStep(c, detail, answerOf(did.Result, nil, &collector{}))
	how := &queue.Settlement{Outcome: queue.Next, Detail: detail, Limits: e.Limits}
	if bytes := len(did.Request.Body) + len(did.Request.Raw); bytes > e.ResultLimit {
		how.Outcome, how.Reason = queue.Fail, "too_large"
		o := rawjson.NewObject(nil)
		const message = "The step answers with %d bytes: at most %d are kept for the next one"
		o.String("error", fmt.Sprintf(message, bytes, e.ResultLimit))
		o.String("reason", how.Reason)
		how.Detail = rawjson.SetMember(how.Detail, "reason", rawjson.AppendString(nil, how.Reason))
		how.Result, _ = encodeAnswer(&Answer{Status: 500, Body: o.End()}) // one that cannot be kept is none
		return how
	}
	var err error
	if how.Payload, err = encodeStep(&did.Request, did.Type, did.Status); err != nil {
		return &queue.Settlement{Outcome: queue.Fail, Reason: "damaged", Detail: how.Detail}
	}
	return how
}

// ofStep is the detail of an attempt with what tells of its step, if it is one of a pipeline: its number, and how long
// its answer is and of which type.
func ofStep(c *queue.Call, detail []byte, a *Answer) []byte {
	if len(c.Steps) == 0 {
		return detail
	}
	o := rawjson.NewObject(nil)
	o.Raw("step", strconv.AppendInt(nil, int64(c.Step+1), 10))
	for name, value := range rawjson.Members(detail) {
		o.Raw(rawjson.Unquote(name), value)
	}
	o.Raw("bytes", strconv.AppendInt(nil, int64(len(a.Body)+len(a.Bytes)), 10))
	return o.End()
}

// invocationID is what the function gets as the ID of its invocation. That of a step is its own: the same function may
// be in a pipeline twice.
func invocationID(c *queue.Call) string {
	if len(c.Steps) == 0 {
		return c.ID
	}
	return c.ID + "." + strconv.Itoa(c.Step+1)
}

// pipelineEnded tells of a pipeline that has ended here with the answer of the attempt r: how long its attempts ran,
// all together, without the waits between them.
func (e *Engine) pipelineEnded(r *run, status queue.Status) {
	if len(r.call.Steps) == 0 || !status.Settled() {
		return
	}
	ran := r.took
	for _, a := range r.call.History {
		ran += a.End.Sub(a.Start)
	}
	e.Observer.PipelineRun(r.status, ran)
}
