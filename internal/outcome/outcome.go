// Package outcome says what an error means to everybody who has to know: the caller gets its status, sentence and
// reason, metrics and logs count the same status, and error trackers learn whose fault it was. No other place decides
// that.
package outcome

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/sandbox"
)

// StatusClientClosed counts requests whose caller did not wait. Only logs and metrics ever show it.
const StatusClientClosed = 499

// Fault says who has to change something.
type Fault int

// The faults. The zero value is the server's: what nobody has classified is nobody else's fault.
const (
	FaultServer   Fault = iota // its own, its store's, or too little room
	FaultCaller                // the request
	FaultFunction              // the function's code
)

// Outcome is what an error means.
type Outcome struct {
	// Status is the HTTP status of the answer, and the one that is counted.
	Status int
	// Message is one sentence for the caller.
	Message string
	// Reason is the machine-readable cause of a worker's death or of a refusal; empty for all else.
	Reason string
	Fault  Fault
	// Retry says that the same request may succeed later, and RetryAfter when that is likely; 0 when nobody knows.
	Retry      bool
	RetryAfter time.Duration
	// Exact says that it succeeds then and not before.
	Exact bool
	// Header holds what the function had set before it failed.
	Header []sandbox.HeaderField
	// Hidden says that the error tells more than Message, and that an operator should see it.
	Hidden bool
}

// Teller is an error that says itself what it means.
type Teller interface {
	error
	Outcome() Outcome
}

// Error is an error that means no more than its outcome, and whose text is the outcome's message.
type Error struct{ outcome Outcome }

// New is an error that means o.
func New(o Outcome) *Error { return &Error{o} }

// BadRequest is the error of a request that has to be another one; message says what about it.
func BadRequest(message string) *Error {
	return New(Outcome{Status: http.StatusBadRequest, Message: message, Fault: FaultCaller})
}

// NotFound is the error of a request for what is not there.
func NotFound(message string) *Error {
	return New(Outcome{Status: http.StatusNotFound, Message: message, Fault: FaultCaller})
}

func (e *Error) Error() string { return e.outcome.Message }

// Outcome makes Error a Teller.
func (e *Error) Outcome() Outcome { return e.outcome }

// Of is what err, which is not nil, means. An error that nothing is known of is an internal one.
func Of(err error) Outcome {
	if teller, ok := errors.AsType[Teller](err); ok {
		return teller.Outcome()
	}
	if unread, ok := errors.AsType[*body.Error](err); ok {
		return Outcome{Status: unread.Status, Message: unread.Message, Fault: FaultCaller}
	}
	if thrown, ok := errors.AsType[*sandbox.FunctionError](err); ok {
		return thrownBy(thrown)
	}
	_, streamed := errors.AsType[*sandbox.StreamError](err)
	if death, ok := errors.AsType[*sandbox.DeathError](err); ok {
		if streamed {
			return ofEndedStream(death)
		}
		return ofDeath(death)
	}
	if streamed { // its caller takes no more
		return Of(context.Canceled)
	}
	if missing, ok := errors.AsType[*function.NotFoundError](err); ok {
		return NotFound(missing.Error()).outcome
	}
	if limit, ok := errors.AsType[*function.EnvLimitError](err); ok {
		return ofEnvLimit(limit)
	}
	if taken, ok := errors.AsType[*function.RoutePatternError](err); ok {
		return ofPattern(taken)
	}
	if missing, ok := errors.AsType[*sandbox.RuntimeError](err); ok {
		return ofRuntime(missing)
	}
	if busy, ok := errors.AsType[*sandbox.BusyError](err); ok {
		return ofBusy(busy)
	}
	for _, known := range table {
		if errors.Is(err, known.err) {
			return known.Outcome
		}
	}
	return Outcome{Status: http.StatusInternalServerError, Message: "internal error", Hidden: true}
}
