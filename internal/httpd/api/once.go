package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/backstage/functions/internal/calls"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/forwarded"
	"github.com/backstage/functions/internal/httpd/qs"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox"
)

// headerReplayed marks an answer that was kept for a repeated request.
const headerReplayed = "Idempotent-Replayed"

var (
	errKeyInUse = outcome.New(outcome.Outcome{
		Status: http.StatusConflict, Reason: "idempotency_key_in_use", Fault: outcome.FaultCaller, Retry: true,
		Message: "The first request with this Idempotency-Key still runs: repeat it later, with the same key",
	})
	errAnswerNotKept = outcome.New(outcome.Outcome{
		Status: http.StatusConflict, Reason: "answer_not_kept", Fault: outcome.FaultCaller,
		Message: "The request with this Idempotency-Key has run, but its answer is not kept: it was a stream, or is " +
			"longer than CALLS_RESULT_LIMIT, or there was no room for it",
	})
	errNoKeyRoom = outcome.New(outcome.Outcome{
		Status: http.StatusTooManyRequests, Reason: "calls_full", Fault: outcome.FaultCaller, Retry: true,
		Message: "The namespace has as many asynchronous calls and Idempotency-Keys as it may: call without the key, wait " +
			"until some have expired, or raise CALLS_MAX and CALLS_MEMORY",
	})
	errNoKeyRoomAtAll = outcome.New(outcome.Outcome{
		Status: http.StatusTooManyRequests, Reason: "calls_store_full", Fault: outcome.FaultCaller, Retry: true,
		Message: "All namespaces together have as many asynchronous calls and Idempotency-Keys as they may: call without " +
			"the key, wait until some have expired, or raise CALLS_MAX_TOTAL and CALLS_MEMORY_TOTAL",
	})
	errNoSuchKey = outcome.New(outcome.Outcome{
		Status: http.StatusNotFound, Fault: outcome.FaultCaller,
		Message: "No call of that caller has this Idempotency-Key, or its time is over. Keys belong to a caller: ?caller= " +
			"names another one, as records of calls do; empty it names those without a key of this server",
	})
	errNoKeys = outcome.New(outcome.Outcome{
		Status: http.StatusNotImplemented, Reason: "calls_unsupported", Fault: outcome.FaultCaller,
		Message: "An Idempotency-Key needs Redis 5 or newer, and this server has an older one: call without the key",
	})
)

// holdsKey says whether the idempotency key of r counts although its caller waits: the function asks for that.
func (s *server) holdsKey(r *http.Request, found invoke.Found) bool {
	if len(r.Header[headerIdempotency]) == 0 || !found.HoldsKeys() || s.Calls == nil {
		return false
	}
	_, none := s.Calls.(noCalls)
	return !none
}

// holdKey has the idempotency key of r held, so that this request is to run. Else it has answered r with what the key
// has, and held is nil.
func (s *server) holdKey(
	w http.ResponseWriter, r *http.Request, to target, request *sandbox.Request,
) (held *calls.Held, err error) {
	ref := to.ref
	h, err := s.holdOf(r, to, request)
	if err != nil {
		return nil, err
	}
	held, kept, err := s.Calls.Hold(r.Context(), h, s.isGuest(r, ref.Namespace))
	switch {
	case errors.Is(err, queue.ErrFull):
		return nil, errNoKeyRoom
	case errors.Is(err, queue.ErrStoreFull):
		return nil, errNoKeyRoomAtAll
	case errors.Is(err, queue.ErrUnsupported):
		return nil, errNoKeys
	case err != nil:
		return nil, fmt.Errorf("hold the idempotency key of a call of %s: %w", ref, err)
	case held != nil:
		return held, nil
	case kept.Print != h.Print:
		return nil, errKeyReused
	case !kept.Ended:
		return nil, errKeyInUse
	case kept.Answer == nil:
		return nil, errAnswerNotKept
	}
	a := kept.Answer
	a.Header = slices.DeleteFunc(a.Header, func(field sandbox.HeaderField) bool { // which the function may have set
		return strings.EqualFold(field.Name, headerReplayed)
	})
	w.Header().Set(headerReplayed, "true") // also of an answer that cannot be sent
	return nil, s.sendStored(w, r, a)
}

// holdOf is the idempotency key of r, as what it and its caller and function hash to: another one than that of an
// asynchronous call. What a caller shows the function belongs to the request: a function that checks it answers nobody
// else. So does the host that a route is asked for, which may say for whom a function answers. That of a run by name
// does not: it may be the address of one of many servers.
func (s *server) holdOf(r *http.Request, to target, request *sandbox.Request) (*queue.Hold, error) {
	ref := to.ref
	key, err := idempotencyKey(r)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("hold the idempotency key of a call of %s: %w", ref, err)
	}
	var shown []string
	for _, name := range credentials { // keys and tokens of this server are not there any more
		shown = append(append(shown, name), r.Header[name]...)
	}
	if to.routed {
		shown = append(shown, "Host", strings.ToLower(forwarded.Host(r, s.TrustedProxies)))
	}
	return &queue.Hold{
		Ref: ref, ID: id.String(), Key: heldKey(limitedKey(r).ID, ref, key), Print: printOf(r, request, shown),
		For: min(keyLife, s.CallTimes.Keep),
	}, nil
}

// heldKey is a key of a caller as it is held.
func heldKey(caller string, ref function.Ref, key string) string {
	return hashOf(caller, ref.ID, key, "answer")
}

// forgetKey frees the idempotency key of a call that has ended whose caller has waited: its own, or that of the caller
// whom the query names, which is empty for those without a key of this server.
func (s *server) forgetKey(w http.ResponseWriter, r *http.Request) error {
	ref, err := refOf(r)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	if key == "" {
		return outcome.BadRequest("Name the key in the header Idempotency-Key, as in the request that had it")
	}
	caller := limitedKey(r).ID
	if named, ok := qs.Parse(r.URL.RawQuery).Get("caller"); ok {
		if caller = named.Text(); named.Kind() != qs.Text {
			return outcome.BadRequest("caller must be one text: what records of calls have as caller, or empty")
		}
	}
	switch err := s.Calls.ForgetKey(r.Context(), ref, heldKey(caller, ref, key)); {
	case errors.Is(err, queue.ErrNotFound):
		return errNoSuchKey
	case errors.Is(err, queue.ErrNotSettled):
		return errKeyInUse
	case err != nil:
		return fmt.Errorf("forget an idempotency key of %s: %w", ref, err)
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}

// endHold gives a key that is held what its call was answered with. It frees it where nothing has run, and where the
// server has ended the call because it stops.
func endHold(r *http.Request, held *calls.Held, result *sandbox.Result, err error, streamed bool) {
	switch {
	case held == nil:
	case streamed:
		held.Answer(r.Context(), nil)
	case err != nil && !invoke.HasRun(err), endedByStop(err):
		held.Free(r.Context())
	default:
		if err != nil {
			result = keptFailure(err)
		}
		held.Answer(r.Context(), &calls.Answer{
			Status: result.Status, Header: result.Header, Body: result.Body, Bytes: result.Bytes,
		})
	}
}

// endedByStop says whether a call ended because its server stopped.
func endedByStop(err error) bool {
	death, ok := errors.AsType[*sandbox.DeathError](err)
	return ok && death.Reason == sandbox.ReasonClosed
}

// keptFailure is the answer that says err, with all that fail adds.
func keptFailure(err error) *sandbox.Result {
	o := outcome.Of(err)
	result := failureOf(o, err)
	if o.Retry {
		again := sandbox.HeaderField{Name: "Retry-After", Value: retryAfter(o.RetryAfter, o.Exact)}
		result.Header = append([]sandbox.HeaderField{again}, result.Header...)
	}
	return result
}
