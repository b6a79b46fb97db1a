package calls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/rawjson"
)

// execute runs a call and says how its take ends; nil when it is not this server's any more.
func (e *Engine) execute(ctx context.Context, r *run) *queue.Settlement {
	c := r.call
	request, contentType, status, err := decodeStep(c.Payload)
	if err != nil {
		return &queue.Settlement{Outcome: queue.Fail, Reason: "damaged"}
	}
	stream := &collector{limit: e.ResultLimit}
	call := invoke.Call{
		ID: attemptID(c), TraceID: c.TraceID, URI: c.URI, Ref: c.Ref, Request: request, OnHead: stream.begin, Bound: true,
	}
	call.Key = limits.Key{ID: c.Caller, Limits: c.Limits}
	call.Queued = &sandbox.Queued{ID: invocationID(c), Attempt: c.Used + 1}
	call.OnProgress = func(p sandbox.Progress) { e.progress(queue.LeaseOf(c), p) }
	var ran *function.Function
	call.OnFunction = func(f *function.Function) { ran = f }
	begun := time.Now()
	did, err := e.run(ctx, c, invoke.StepCall{Call: call, Type: contentType, Status: status})
	result, took := did.Result, time.Since(begun)
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errLost), errors.Is(cause, errCancelled):
		return nil
	case errors.Is(cause, errStopping) && err != nil:
		return &queue.Settlement{Outcome: queue.Back}
	}
	answer := answerOf(result, err, stream)
	r.status, r.took = answer.Status, took
	if err == nil && !did.Ended {
		return e.advance(c, &did, detail(answer, "", took, ran, result, nil, e.Server))
	}
	how := judge(c, answer, err)
	if how.Outcome != queue.Back {
		how.Detail = ofStep(c, detail(answer, how.Reason, took, ran, result, err, e.Server), answer)
	}
	if how.Result, err = encodeAnswer(answer); err != nil {
		how.Result = nil // an answer that cannot be kept is none
	}
	if how.Limits = e.Limits; len(how.Result) > e.KeptLimit {
		how.Result, how.Dropped = nil, int64(len(how.Result))
	}
	return how
}

// attemptID names an attempt in logs and traces.
func attemptID(c *queue.Call) string {
	if c.Takes == 1 {
		return c.ID
	}
	return c.ID + "-" + strconv.Itoa(c.Takes)
}

// answerOf is what a caller who had waited would have got.
func answerOf(result *sandbox.Result, err error, stream *collector) *Answer {
	if err == nil {
		a := &Answer{Status: result.Status, Header: result.Header, Body: result.Body, Bytes: result.Bytes}
		if stream.head != nil {
			a.Status, a.Header, a.Body, a.Bytes = stream.head.Status, stream.head.Header, nil, stream.bytes
		}
		return a
	}
	o := outcome.Of(err)
	body := rawjson.NewObject(nil)
	body.String("error", o.Message)
	if o.Reason != "" {
		body.String("reason", o.Reason)
	}
	return &Answer{Status: o.Status, Header: o.Header, Body: body.End()}
}

// judge says what the answer of an attempt means for its call:
//
//	answer below 500, but 408 and 429     done: the function has decided
//	no such function                      fail
//	never started                         back, no attempt is used
//	all else                              retry
//
// What tells it when to come again tells others the same: each comes a random while after that.
func judge(c *queue.Call, a *Answer, err error) *queue.Settlement {
	var o outcome.Outcome
	if err != nil {
		o = outcome.Of(err)
	}
	missing := errors.Is(err, function.ErrNotFound)
	if _, ok := errors.AsType[*function.NotFoundError](err); ok {
		missing = true
	}
	switch {
	case missing:
		return &queue.Settlement{Outcome: queue.Fail, Reason: "not_found"}
	case errors.Is(err, invoke.ErrBytes):
		return &queue.Settlement{Outcome: queue.Fail, Reason: "bytes_refused"}
	case errors.Is(err, sandbox.ErrTooLarge), errors.Is(err, errTooLong):
		return &queue.Settlement{Outcome: queue.Fail, Reason: "too_large"}
	case err != nil && !invoke.HasRun(err):
		return &queue.Settlement{Outcome: queue.Back, Delay: o.RetryAfter + jitter(max(time.Second, o.RetryAfter/4), c.Takes)}
	case died(err, sandbox.ReasonClosed):
		return &queue.Settlement{Outcome: queue.Back}
	case !outcome.Failed(a.Status):
		return &queue.Settlement{Outcome: queue.Done}
	}
	return &queue.Settlement{
		Outcome: queue.Retry, Reason: outcome.ReasonOf(err, a.Status),
		Delay: retryAfter(a) + jitter(c.Current().Backoff, c.Used+1),
	}
}

func died(err error, reason sandbox.Reason) bool {
	death, ok := errors.AsType[*sandbox.DeathError](err)
	return ok && death.Reason == reason
}

// longestBackoff bounds the wait between two attempts, unless the function asks for more.
const longestBackoff = 10 * time.Minute

// jitter is a random wait of up to first, and up to twice as much for each failure more.
func jitter(first time.Duration, failures int) time.Duration {
	most := first << min(max(failures-1, 0), 16)
	if most <= 0 || most > longestBackoff {
		most = longestBackoff
	}
	return time.Duration(rand.Int64N(int64(most) + 1))
}

// longestRetryAfter bounds what a function asks for.
const longestRetryAfter = 24 * time.Hour

// retryAfter is what the header of that name of an answer asks for, in seconds or as a date.
func retryAfter(a *Answer) time.Duration {
	for _, f := range a.Header {
		if !strings.EqualFold(f.Name, "Retry-After") {
			continue
		}
		if seconds, err := strconv.Atoi(strings.TrimSpace(f.Value)); err == nil && seconds > 0 {
			return min(time.Duration(min(seconds, 1<<20))*time.Second, longestRetryAfter)
		}
		if at, err := http.ParseTime(f.Value); err == nil {
			return min(max(time.Until(at), 0), longestRetryAfter)
		}
	}
	return 0
}

// longestError bounds the message of a failure in a record, in bytes.
const longestError = 2 << 10

// detail describes an attempt for its record.
func detail(
	a *Answer, reason string, took time.Duration, ran *function.Function, result *sandbox.Result, err error, server string,
) []byte {
	o := rawjson.NewObject(nil)
	o.Raw("status", strconv.AppendInt(nil, int64(a.Status), 10))
	if reason != "" {
		o.String("reason", reason)
	}
	if err != nil {
		text := outcome.Of(err).Message
		o.String("error", strings.ToValidUTF8(text[:min(len(text), longestError)], ""))
	}
	stats := invoke.StatsOf(result, err)
	o.Raw("ms", strconv.AppendInt(nil, took.Milliseconds(), 10))
	o.Raw("cpuMs", strconv.AppendInt(nil, stats.CPU.Milliseconds(), 10))
	if ran != nil {
		o.String("hash", ran.Hash)
		o.String("revision", ran.VersionID)
	}
	o.String("server", server)
	return o.End()
}

// finish settles a take, again and again while the store is away. Nobody else takes the call before that knows that its
// lease has run out, so a settlement that comes late counts unless somebody has.
func (e *Engine) finish(ctx context.Context, r *run, how *queue.Settlement) {
	lease := queue.LeaseOf(r.call)
	if how == nil {
		e.Observer.CallSettled("lost")
		e.waiters.wake(lease.ID)
		return
	}
	how.Lease = lease
	ctx = context.WithoutCancel(ctx)
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, e.Poll) {
		within, cancel := context.WithTimeout(ctx, e.Lease)
		status, err := e.Queue.SettleCall(within, how)
		cancel()
		switch {
		case err == nil && how.Outcome == queue.Back:
			e.Observer.CallSettled("back")
		case err == nil && how.Outcome == queue.Next && status == queue.Queued:
			e.Observer.CallSettled("next")
			e.announce(ctx, lease.ID)
		case err == nil:
			if how.Outcome == queue.Next { // there was no room for its answer
				r.status = http.StatusInternalServerError
			}
			e.Observer.CallSettled(string(status))
			e.pipelineEnded(r, status)
		case errors.Is(err, queue.ErrLost):
			e.Observer.CallSettled("lost")
		case errors.Is(err, function.ErrUnavailable) && !e.givesUp(lease):
			time.Sleep(pause)
			continue
		default:
			e.Logger.WarnContext(ctx, "What a queued call came to cannot be stored: it will run again",
				"function", lease.Ref.String(), "call", lease.ID, "error", err)
			e.Observer.CallSettled("lost")
		}
		break
	}
	e.waiters.wake(lease.ID)
	e.tell(ctx, heardSettled, lease.ID)
}

// givesUp says whether a settlement is not tried again: the server stops, or the lease was lost.
func (e *Engine) givesUp(lease queue.Lease) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stopped || time.Since(e.running[lease].renewed) > 10*e.Lease
}

var errTooLong = errors.New("calls: the answer is too long")

// collector keeps what a function streams.
type collector struct {
	limit int
	head  *sandbox.StreamHead
	bytes []byte
}

func (c *collector) begin(head sandbox.StreamHead) (io.Writer, error) {
	c.head, c.bytes = &head, []byte{}
	return c, nil
}

// Write keeps piece.
func (c *collector) Write(piece []byte) (int, error) {
	if len(c.bytes)+len(piece) > c.limit {
		return 0, fmt.Errorf("%w: more than %d bytes", errTooLong, c.limit)
	}
	c.bytes = append(c.bytes, piece...)
	return len(piece), nil
}
