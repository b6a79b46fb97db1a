package api

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox"
)

// parallelPuts is how many inputs are put into the queue at a time.
const parallelPuts = 16

// requestFor is the request of the function for an input.
func (b *batch) requestFor(found invoke.Found, input body.Item) sandbox.Request {
	request := b.base
	if found.LearnsPath() {
		request.HTTP = b.httpJSON(b.r, target{path: "/"}, found.Body())
	}
	if found.LearnsCaller() {
		request.Auth = authJSON(b.r)
	}
	found.Give(&request, input.Text)
	return request
}

// runInput runs the function for an input, and once more when others of the batch had to end first.
func (b *batch) runInput(ctx context.Context, index int, input body.Item) []byte {
	result, err := b.runOnce(ctx, index, input)
	for isCrowded(err) && b.yield(ctx) {
		result, err = b.runOnce(ctx, index, input)
	}
	if err != nil {
		return b.failure(index, err)
	}
	return answerLine(index, result)
}

func (b *batch) runOnce(ctx context.Context, index int, input body.Item) (*sandbox.Result, error) {
	found, err := b.Invoker.Find(ctx, b.ref)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", b.ref, err)
	}
	request := b.requestFor(found, input)
	if sent := base64.StdEncoding.EncodedLen(len(request.Raw)); sent > smallBody { // see readBody
		if !b.Grow(b.r, sent) {
			return nil, body.ErrNoRoom
		}
		defer b.Shrink(b.r, sent)
	}
	call := b.callOf(b.r, found, b.ref, request)
	call.ID += "-" + strconv.Itoa(index)
	stream := &collectedStream{}
	call.OnHead = stream.begin
	result, err := b.Invoker.Run(ctx, call)
	if err != nil {
		return nil, err
	}
	result = stream.into(result)
	return result, checkResult(result)
}

// isCrowded says whether a call was refused since as many run or wait as may: where others of its batch are among them,
// it is to be run when they have ended.
func isCrowded(err error) bool {
	if _, ok := errors.AsType[*invoke.LimitError](err); ok {
		return true
	}
	_, ok := errors.AsType[*sandbox.BusyError](err)
	return ok
}

// queueInput puts an input into the queue. With an Idempotency-Key of the batch it has one of its own, so that a batch
// that is sent again adds nothing.
func (b *batch) queueInput(ctx context.Context, index int, input body.Item) []byte {
	found, err := b.Invoker.Find(ctx, b.ref)
	if err != nil {
		return b.failure(index, fmt.Errorf("queue a call of %s: %w", b.ref, err))
	}
	request := b.requestFor(found, input)
	spec, err := b.specOf(b.r, found, b.ref, &request)
	if err != nil {
		return b.failure(index, err)
	}
	if len(spec.Payload) > smallBody {
		defer b.Shrink(b.r, len(spec.Payload))
	}
	if spec.Key != "" {
		spec.Key = hashOf(spec.Key, "batch", strconv.Itoa(index))
	}
	placed, err := b.Calls.Put(ctx, spec)
	switch {
	case err != nil:
		return b.failure(index, fmt.Errorf("queue a call of %s: %w", b.ref, err))
	case placed.Existing && placed.Print != spec.Print:
		return b.failure(index, errKeyReused)
	}
	return acceptedLine(index, b.ref, placed.ID, queue.Queued)
}

// collectedStream is an answer that the function streams, as a whole.
type collectedStream struct {
	head  *sandbox.StreamHead
	bytes []byte
}

func (c *collectedStream) begin(head sandbox.StreamHead) (io.Writer, error) {
	c.head, c.bytes = &head, []byte{}
	return c, nil
}

// Write keeps piece, if that is not too much.
func (c *collectedStream) Write(piece []byte) (int, error) {
	if len(c.bytes)+len(piece) > invoke.DefaultStepBytes {
		const message = "The function streams more than %d bytes, which a batch does not take"
		return 0, outcome.New(outcome.Outcome{
			Status: http.StatusInternalServerError, Fault: outcome.FaultFunction,
			Message: fmt.Sprintf(message, invoke.DefaultStepBytes),
		})
	}
	c.bytes = append(c.bytes, piece...)
	return len(piece), nil
}

// into makes what was streamed the answer, if anything was.
func (c *collectedStream) into(result *sandbox.Result) *sandbox.Result {
	if c.head == nil {
		return result
	}
	return &sandbox.Result{Status: c.head.Status, Header: c.head.Header, Bytes: c.bytes}
}
