package invoke

import (
	"context"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// StepCall is a step of a pipeline whose steps run one by one, perhaps on different servers.
type StepCall struct {
	// Call has in Request what the first step of the pipeline got, but for the body: that is what this step gets. Its Ref,
	// Found and OnHead are not used but for the last step, whose stream OnHead takes.
	Call
	Steps []function.Ref
	// Number is that of the step, from 1.
	Number int
	// Type is the media type of the body; empty for that of the request. Status is that of the answer of the step before,
	// 0 for the first step.
	Type   string
	Status int
}

// Stepped is what came of a step that has answered.
type Stepped struct {
	// Result is the answer of the pipeline so far.
	Result *sandbox.Result
	// Ended says that no other step follows.
	Ended bool
	// Request, Type and Status are those of the StepCall of the next step, if there is one.
	Request sandbox.Request
	Type    string
	Status  int
}

// Step runs one step as Pipeline does. Its error is that of Run, or ErrBytes; that of a step that ran or was to run is
// a *StepError around it.
func (v *Invoker) Step(ctx context.Context, c StepCall) (Stepped, error) {
	start := time.Now()
	e, err := v.cache.get(ctx, c.Steps[c.Number-1])
	if err != nil {
		return Stepped{}, err
	}
	if c.OnFunction != nil {
		c.OnFunction(e.fn)
	}
	p := &progress{
		Invoker: v, call: c.Call, count: len(c.Steps), next: requested(&c.Request), room: bodyMemory{memory: c.Memory},
	}
	defer p.room.release()
	p.continueFrom(ctx, &c)
	ended, err := p.run(ctx, e, c.Number, start)
	if err != nil {
		return Stepped{}, err
	}
	s := Stepped{
		Result: p.answer, Ended: ended || c.Number == len(c.Steps),
		Request: c.Request, Type: p.next.contentType, Status: p.answer.Status,
	}
	s.Request.Body, s.Request.Raw, s.Request.HasRaw = p.next.json, p.next.bytes, p.next.bytes != nil
	return s, nil
}

// continueFrom has p know what the steps before have left: the answer so far, and which secrets are to be masked.
func (p *progress) continueFrom(ctx context.Context, c *StepCall) {
	p.next.contentType = c.Type
	if c.Status == 0 {
		return
	}
	p.answer = &sandbox.Result{Status: c.Status}
	if c.Status == http.StatusOK {
		p.answer.Body, p.answer.Bytes = p.next.json, p.next.bytes
		p.answer.Header = []sandbox.HeaderField{{Name: headerType, Value: c.Type}}
	}
	for _, ref := range c.Steps[:c.Number-1] {
		if e, err := p.cache.get(ctx, ref); err == nil { // one that is gone has no secrets
			given, _ := p.secrets.For(ctx, ref, e.secrets)
			p.masks.with(given)
		}
	}
	before := c.Steps[c.Number-2]
	p.earlier = []Step{{Ref: before, Status: c.Status, Body: beginningOf(p.masks.JSON(p.next.json)), Time: time.Now()}}
}
