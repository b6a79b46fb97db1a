package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/backstage/functions/internal/calls"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox"
)

// Calls queues calls and tells of them; *calls.Engine is one. It must be safe for concurrent use. Its errors are or
// wrap those of package queue and function.ErrUnavailable.
type Calls interface {
	Put(ctx context.Context, spec *queue.Spec) (queue.Placed, error)
	Get(ctx context.Context, ref function.Ref, id string) (*queue.Call, error)
	Await(ctx context.Context, ref function.Ref, id string, long time.Duration) (*queue.Call, error)
	Watch(
		ctx context.Context, ref function.Ref, id string, see func(*queue.Call) error, idle func() error,
		every time.Duration,
	) error
	Result(ctx context.Context, ref function.Ref, id string) (*calls.Answer, error)
	List(ctx context.Context, q *queue.Query) (queue.Page, error)
	Cancel(ctx context.Context, ref function.Ref, id string) error
	Redrive(ctx context.Context, ref function.Ref, id string) error
	// Callback returns the record of the callback of a settled call, or queue.ErrNotFound.
	Callback(ctx context.Context, ref function.Ref, id string) (*queue.Call, error)
	RedriveCallback(ctx context.Context, ref function.Ref, id string) error
	// Hold has the idempotency key of a call held whose caller waits, or returns what the key has.
	Hold(ctx context.Context, h *queue.Hold, guest bool) (*calls.Held, *calls.Kept, error)
	// ForgetKey frees such a key whose call has ended. It returns queue.ErrNotFound for none, and queue.ErrNotSettled
	// while the call runs.
	ForgetKey(ctx context.Context, ref function.Ref, key string) error
}

// CallTimes are how long records of calls are kept.
type CallTimes struct {
	// Keep is for calls that have succeeded or were cancelled, KeepDead for dead ones.
	Keep, KeepDead time.Duration
}

// callsPath is that of the calls of a function; resources below it are about one.
const callsPath = "/functions/{namespace}/{id}/invocations"

// queuesCall says whether r is to be queued, and how.
func (s *server) queuesCall(r *http.Request, to target) (p preference, ok bool) {
	if _, none := s.Calls.(noCalls); none || s.Calls == nil || to.routed {
		return p, false
	}
	p = preferenceOf(r)
	return p, p.async
}

// credentials are the headers by which callers show who they are.
var credentials = []string{"Authorization", "Proxy-Authorization", "Cookie"}

// forgetCredentials drops what r has to show who its caller is: a record is kept, and read by others.
func forgetCredentials(r *http.Request) {
	for _, name := range credentials {
		delete(r.Header, name)
	}
}

// queueCall queues the call that r makes, and waits for it as p says.
func (s *server) queueCall(
	w http.ResponseWriter, r *http.Request, found invoke.Found, ref function.Ref, request *sandbox.Request, p preference,
) error {
	spec, err := s.specOf(r, found, ref, request)
	if err != nil {
		return err
	}
	return s.placeCall(w, r, spec, p)
}

// placeCall puts a call into the queue, and waits for it as p says.
func (s *server) placeCall(w http.ResponseWriter, r *http.Request, spec *queue.Spec, p preference) error {
	ref := spec.Ref
	placed, err := s.Calls.Put(r.Context(), spec)
	if err != nil {
		return fmt.Errorf("queue a call of %s: %w", ref, err)
	}
	if placed.Existing && placed.Print != spec.Print {
		return errKeyReused
	}
	w.Header().Set("Preference-Applied", p.applied())
	status := queue.Queued
	if p.wait > 0 || placed.Existing {
		c, err := s.await(r, ref, placed.ID, p.wait)
		switch {
		case errors.Is(err, queue.ErrNotFound): // its record has gone
		case err != nil:
			return fmt.Errorf("wait for call %s of %s: %w", placed.ID, ref, err)
		case p.wait > 0 && c.Status.Settled() && c.HasResult:
			return s.sendCallResult(w, r, ref, placed.ID)
		default:
			status = c.Status
		}
	}
	return s.sendAccepted(w, r, ref, placed.ID, status)
}

// specOf is the call that r makes.
func (s *server) specOf(
	r *http.Request, found invoke.Found, ref function.Ref, request *sandbox.Request,
) (*queue.Spec, error) {
	payload, err := calls.EncodeRequest(request)
	if err != nil {
		return nil, fmt.Errorf("queue a call of %s: %w", ref, err)
	}
	if len(payload) > smallBody && !s.Grow(r, len(payload)) {
		return nil, body.ErrNoRoom
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("queue a call of %s: %w", ref, err)
	}
	retries, key := retriesOf(found), limitedKey(r)
	spec := &queue.Spec{
		ID: id.String(), Ref: ref, Caller: key.ID, Limits: key.Limits, Guest: s.isGuest(r, ref.Namespace),
		RequestID: RequestID(r.Context()),
		TraceID:   s.TraceID(r.Context()), URI: r.RequestURI, Payload: payload,
		Attempts: retries.Attempts, Backoff: retries.Backoff, MaxAge: retries.MaxAge,
		Keep: s.CallTimes.Keep, KeepDead: s.CallTimes.KeepDead,
	}
	if spec.CallTo, err = s.callbackOf(r, found.Function); err != nil {
		return nil, err
	}
	return spec, addKey(spec, r, request)
}

// isGuest says whether the caller of r has no role in the namespace, where that takes one.
func (s *server) isGuest(r *http.Request, namespace string) bool {
	a := accessOf(r)
	return s.Auth == AuthOn && a.openedBy(namespace) != ""
}

// addKey adds the idempotency key of r, if it has one: as what it and its caller and function hash to.
func addKey(spec *queue.Spec, r *http.Request, request *sandbox.Request) error {
	key, err := idempotencyKey(r)
	if err != nil || key == "" {
		return err
	}
	spec.Key = hashOf(spec.Caller, spec.Ref.ID, key)
	spec.Print = printOf(r, request, r.Header[headerCallback])
	spec.KeyFor = min(keyLife, spec.Keep)
	return nil
}

// callOfPath is the call that the path names.
func callOfPath(r *http.Request) (ref function.Ref, id string, err error) {
	if ref, err = refOf(r); err != nil {
		return ref, "", err
	}
	id, err = nameOf(r, "invocation")
	return ref, id, err
}

// getCall shows a record, as it is or, with ?wait=, once it is settled; to a reader of events with each change.
func (s *server) getCall(w http.ResponseWriter, r *http.Request) error {
	ref, id, err := callOfPath(r)
	if err != nil {
		return err
	}
	if err := s.allowCall(w, r, ref, id, identity.Invoke); err != nil {
		return err
	}
	if wantsEvents(r) {
		return s.followCall(w, r, ref, id)
	}
	wait, err := queryWait(r)
	if err != nil {
		return err
	}
	text, err := s.awaitRecord(r, ref, id, wait)
	if err != nil {
		return fmt.Errorf("call %s of %s: %w", id, ref, err)
	}
	w.Header().Set(headerCache, "no-store")
	sendJSON(w, r, http.StatusOK, text)
	return nil
}

// awaitRecord is the record of a call as await has it, or of one whose caller has waited.
func (s *server) awaitRecord(r *http.Request, ref function.Ref, id string, long time.Duration) ([]byte, error) {
	c, err := s.await(r, ref, id, long)
	if err == nil {
		return s.withCallback(r, c)
	}
	if !errors.Is(err, queue.ErrNotFound) {
		return nil, err
	}
	k, err := s.findKept(r, ref, id)
	if err != nil {
		return nil, err
	}
	return keptJSON(k), nil
}

// await is Calls.Await that ends when the server stops, and with an error when the key of r is not valid any more.
func (s *server) await(r *http.Request, ref function.Ref, id string, long time.Duration) (*queue.Call, error) {
	if long <= 0 {
		return s.Calls.Await(r.Context(), ref, id, 0)
	}
	allowed, stop := s.whileAllowed(r)
	defer stop()
	ctx, cancel := context.WithCancel(allowed)
	defer cancel()
	defer context.AfterFunc(s.Life, cancel)()
	c, err := s.Calls.Await(ctx, ref, id, long)
	if errors.Is(context.Cause(allowed), errKeyEnded) {
		return nil, unauthorized(errKeyEnded)
	}
	return c, err
}

// getCallResult answers with what the function has answered.
func (s *server) getCallResult(w http.ResponseWriter, r *http.Request) error {
	ref, id, err := callOfPath(r)
	if err != nil {
		return err
	}
	if err := s.allowCall(w, r, ref, id, identity.Invoke); err != nil {
		return err
	}
	return s.sendCallResult(w, r, ref, id)
}

func (s *server) sendCallResult(w http.ResponseWriter, r *http.Request, ref function.Ref, id string) error {
	a, err := s.Calls.Result(r.Context(), ref, id)
	if errors.Is(err, queue.ErrNotFound) {
		c, err := s.Calls.Get(r.Context(), ref, id)
		if err != nil {
			err = s.orKept(r, ref, id, err, noResult("its caller has waited for the answer, which is not kept"))
			return fmt.Errorf("result of call %s of %s: %w", id, ref, err)
		}
		if c.Dropped > 0 {
			return outcome.New(outcome.Outcome{
				Status: http.StatusConflict, Reason: "result_dropped", Fault: outcome.FaultCaller,
				Message: fmt.Sprintf("The call has %s, but its answer of %d bytes is not kept: it is longer than "+
					"CALLS_RESULT_LIMIT, or the calls of its namespace or of all take as much as they may", c.Status, c.Dropped),
			})
		}
		return noResult("it is " + string(c.Status))
	}
	if err != nil {
		return fmt.Errorf("result of call %s of %s: %w", id, ref, err)
	}
	return s.sendStored(w, r, a)
}

// sendStored is sendAnswer for an answer that was read from the store.
func (s *server) sendStored(w http.ResponseWriter, r *http.Request, a *calls.Answer) error {
	defer a.Release()
	s.Sending(r, a.Release)
	return sendAnswer(w, r, &sandbox.Result{Status: a.Status, Header: a.Header, Body: a.Body, Bytes: a.Bytes})
}

func noResult(why string) error {
	return outcome.New(outcome.Outcome{
		Status: http.StatusConflict, Reason: "no_result", Fault: outcome.FaultCaller,
		Message: "The call has no result: " + why,
	})
}

// deleteCall cancels a call.
func (s *server) deleteCall(w http.ResponseWriter, r *http.Request) error {
	ref, id, err := callOfPath(r)
	if err != nil {
		return err
	}
	if err := s.allowCall(w, r, ref, id, identity.Invoke); err != nil {
		return err
	}
	if err := s.Calls.Cancel(r.Context(), ref, id); err != nil {
		return fmt.Errorf("cancel call %s of %s: %w", id, ref, s.orKept(r, ref, id, err, queue.ErrSettled))
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}

// redriveCall queues a dead or cancelled call again.
func (s *server) redriveCall(w http.ResponseWriter, r *http.Request) error {
	ref, id, err := callOfPath(r)
	if err != nil {
		return err
	}
	if err := s.allowCall(w, r, ref, id, identity.Deploy); err != nil {
		return err
	}
	if err := s.Calls.Redrive(r.Context(), ref, id); err != nil {
		return fmt.Errorf("redrive call %s of %s: %w", id, ref, s.orKept(r, ref, id, err, queue.ErrNotSettled))
	}
	return s.sendAccepted(w, r, ref, id, queue.Queued)
}
