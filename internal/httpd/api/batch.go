package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/answer"
	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox"
)

// batchPath is that of batches: many inputs of one function.
const batchPath = "/functions/{namespace}/{id}/batch"

// batch is a request with many inputs. Each is a call, whose answer is a line, as soon as it is there. Inputs are read
// while others run: no more of them are in memory than run.
type batch struct {
	*server
	w       http.ResponseWriter
	r       *http.Request
	ref     function.Ref
	base    sandbox.Request // without a body
	control *http.ResponseController
	// serve makes the line of an input.
	serve func(ctx context.Context, index int, input body.Item) []byte
	// spare says whether another input may begin when so many have.
	spare func(running int) bool
	batchPlaces
	// stop ends the batch: no other input begins.
	stop context.CancelCauseFunc

	queues bool // inputs are queued, and do not run now
	whole  bool // all inputs were read, or a line says why not

	writing sync.Mutex // guards the fields below, and w
	begun   bool       // a line was sent
	broken  bool       // no other can be
}

// batch runs the function once for each input, and answers with a line for each.
func (s *server) batch(w http.ResponseWriter, r *http.Request) error {
	ref, err := refOf(r)
	if err != nil {
		return err
	}
	if _, err := s.Invoker.Find(r.Context(), ref); err != nil {
		return fmt.Errorf("run %s: %w", ref, err)
	}
	options := s.bodyOptions(r, false)
	inputs, err := body.ItemsOf(r, options)
	if err != nil {
		return err
	}
	b := &batch{server: s, w: w, r: r, ref: ref, control: http.NewResponseController(w)}
	if err := b.prepare(); err != nil {
		return err
	}
	s.Paced(r)
	_ = b.control.EnableFullDuplex() // HTTP/2 is so in any case
	allowed, leave := s.whileAllowed(r, ref.Namespace)
	defer leave()
	calls, stop := context.WithCancelCause(allowed)
	defer stop(nil)
	reading, endReading := context.WithCancelCause(calls)
	defer endReading(nil)
	defer context.AfterFunc(s.Life, func() { endReading(sandbox.ErrClosed) })()
	defer context.AfterFunc(reading, func() { _ = b.control.SetReadDeadline(time.Now()) })()
	b.stop = stop
	return b.run(calls, reading, inputs)
}

// prepare decides what becomes of each input.
func (b *batch) prepare() error {
	b.serve, b.spare = b.runInput, b.server.Spare
	if _, b.queues = b.queuesCall(b.r, target{}); b.queues {
		forgetCredentials(b.r)
		b.serve, b.spare = b.queueInput, func(running int) bool { return running < parallelPuts }
		if err := addKey(&queue.Spec{}, b.r, &sandbox.Request{}); err != nil {
			return err
		}
	}
	b.base = sandbox.Request{
		Method: b.r.Method, Header: headerJSON(b.r, b.HeaderNames(b.r)), Query: queryJSON(b.r.URL.RawQuery),
	}
	return nil
}

// run serves inputs until there are no more, or reading ends, and returns once all that have begun have ended. An error
// is one that was met before any input began.
func (b *batch) run(calls, reading context.Context, inputs *body.Items) (err error) {
	var work sync.WaitGroup
	defer func() {
		work.Wait()
		if err == nil {
			b.end(reading)
		}
	}()
	for index := 0; b.take(reading, b.spare); index++ {
		input, err := inputs.Next()
		if err == nil && index == b.BatchInputs {
			err = tooManyInputs(index)
		}
		if err == nil {
			work.Go(func() {
				defer b.give()
				defer b.Shrink(b.r, input.Granted)
				b.send(b.line(calls, index, input))
			})
			continue
		}
		b.give()
		b.Shrink(b.r, input.Granted)
		switch {
		case errors.Is(err, io.EOF):
			b.whole = true
			return nil
		case reading.Err() != nil:
			return nil
		case index == 0:
			return err
		}
		b.send(b.failure(index, err))
		if b.whole = inputs.Over() || index == b.BatchInputs; b.whole {
			return nil
		}
	}
	return nil
}

// line is the line of an input. Should the server panic for one, the others go on.
func (b *batch) line(ctx context.Context, index int, input body.Item) (line []byte) {
	defer func() {
		if cause := recover(); cause != nil {
			line = b.failure(index, fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		}
	}()
	return b.serve(ctx, index, input)
}

func tooManyInputs(most int) error {
	return outcome.New(outcome.Outcome{
		Status: http.StatusRequestEntityTooLarge, Reason: "too_many_inputs", Fault: outcome.FaultCaller,
		Message: fmt.Sprintf("A batch has at most %d inputs: send the rest in another one", most),
	})
}

// send writes a line, and has it sent at once. Who takes no more of them ends the batch.
func (b *batch) send(line []byte) {
	b.writing.Lock()
	defer b.writing.Unlock()
	if b.broken {
		return
	}
	b.beginLocked()
	_, err := b.w.Write(append(line, '\n'))
	if err == nil {
		err = b.control.Flush()
	}
	if err != nil {
		b.broken = true
		b.stop(context.Canceled)
	}
}

// beginLocked sends the head of the answer.
func (b *batch) beginLocked() {
	if b.begun {
		return
	}
	b.begun = true
	if rec, ok := b.w.(*answer.Recorder); ok {
		rec.OfFunction = true
	}
	h, status := b.w.Header(), http.StatusOK
	h.Set(headerType, contentTypeLines)
	h.Set(headerCache, "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold lines back
	if b.queues {
		status = http.StatusAccepted
		h.Set("Preference-Applied", preference{async: true}.applied())
	}
	b.w.WriteHeader(status)
}

// end sends what is left to be told: why there are no more lines, if not because there are no more inputs.
func (b *batch) end(reading context.Context) {
	if cause := context.Cause(reading); cause != nil && !b.whole {
		b.send(b.failure(-1, endOfBatch(cause)))
		return
	}
	b.writing.Lock()
	defer b.writing.Unlock()
	b.beginLocked()
}

// endOfBatch is cause, for the caller.
func endOfBatch(cause error) error {
	switch {
	case errors.Is(cause, errKeyEnded):
		return outcome.New(outcome.Outcome{
			Status: http.StatusUnauthorized, Message: "The key is not valid any more", Reason: "unauthorized",
			Fault: outcome.FaultCaller,
		})
	case errors.Is(cause, errDisabled):
		return new(limits.DisabledError)
	}
	return cause
}
