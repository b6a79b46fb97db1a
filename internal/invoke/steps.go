package invoke

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// progress is a pipeline that runs. It is used by one goroutine at a time.
type progress struct {
	*Invoker
	call    Call
	count   int // of its steps
	next    piece
	room    bodyMemory // for next
	answer  *sandbox.Result
	earlier []Step
	masks   masks
}

func (v *Invoker) runSteps(
	ctx context.Context,
	steps []function.Ref,
	entries []*entry,
	call Call,
) (*sandbox.Result, error) {
	p := &progress{
		Invoker: v, call: call, count: len(entries), next: requested(&call.Request),
		room: bodyMemory{memory: call.Memory}, earlier: make([]Step, 0, len(entries)),
	}
	defer p.room.release()
	for i, e := range entries {
		if ctx.Err() != nil {
			return nil, stopped(p.answer, i, p.count, context.Cause(ctx))
		}
		start := time.Now()
		if e == nil {
			var err error
			if e, err = v.cache.get(ctx, steps[i]); err != nil {
				return nil, stopped(p.answer, i, p.count, err)
			}
		}
		if ended, err := p.run(ctx, e, i+1, start); ended || err != nil {
			return p.answer, err
		}
	}
	return p.answer, nil
}

// run runs one step, numbered from 1, and says whether its answer is that of the pipeline.
func (p *progress) run(ctx context.Context, e *entry, number int, start time.Time) (ended bool, err error) {
	call, last := p.call, number == p.count
	if err := p.next.into(&call.Request, e.fn); err != nil {
		return true, p.fail(&StepError{e.fn.Ref, err})
	}
	if found := (Found{Function: e.fn}); !found.LearnsPath() {
		call.Request.HTTP = nil
	}
	collected := &collected{limit: p.stepBytes, room: bodyMemory{memory: call.Memory}}
	defer collected.room.release()
	call.OnHead = p.takeHead(collected, last)
	result, err := p.Invoker.run(ctx, e, call, place{
		step: number, earlier: p.earlier, masks: &p.masks, start: start,
	})
	p.stepped(ctx, p.called(call, e), statusOf(result, err), time.Since(start))
	if err != nil {
		return true, p.fail(&StepError{e.fn.Ref, err})
	}
	result = new(*result)
	collected.into(result)
	collected.room.release() // take asks anew
	p.earlier = append(
		p.earlier,
		Step{Ref: e.fn.Ref, Status: result.Status, Body: beginningOf(p.masks.JSON(result.Body)), Time: time.Now()},
	)
	return p.take(result, e, number)
}

// takeHead is what takes a stream of a step: the caller, if it is the answer of the pipeline, or the next step.
func (p *progress) takeHead(collected *collected, last bool) func(sandbox.StreamHead) (io.Writer, error) {
	return func(head sandbox.StreamHead) (io.Writer, error) {
		switch {
		case head.Status == http.StatusNotModified, head.Status == http.StatusOK && !last:
			return collected.begin(head)
		case p.call.OnHead == nil:
			return nil, sandbox.ErrStream
		}
		return p.call.OnHead(head)
	}
}

// take goes on with the answer of a step.
func (p *progress) take(result *sandbox.Result, e *entry, number int) (ended bool, err error) {
	previous := p.answer
	p.answer = result
	switch result.Status {
	case http.StatusOK:
		p.next = answered(result)
		if number == p.count {
			return true, nil
		}
		if err := p.room.change(p.next.size()); err != nil {
			return true, p.fail(stopped(result, number, p.count, err))
		}
		return false, nil
	case http.StatusNotModified:
		if previous != nil {
			keepBody(result, previous)
		}
		return false, nil
	}
	result.Body = withStep(result.Body, e.fn.Ref)
	return true, nil
}

// keepBody makes the body of previous that of result, with its status and, of bytes, its type.
func keepBody(result, previous *sandbox.Result) {
	result.Status, result.Body, result.Bytes = previous.Status, previous.Body, previous.Bytes
	if contentType := contentTypeOf(previous.Header); previous.Bytes != nil && contentType != "" {
		result.Header = append(result.Header[:len(result.Header):len(result.Header)],
			sandbox.HeaderField{Name: headerType, Value: contentType})
	}
}

// fail forgets the answer, as the pipeline has none.
func (p *progress) fail(err error) error {
	p.answer = nil
	return err
}
