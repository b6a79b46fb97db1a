package deploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/backstage/functions/internal/build"
	"github.com/backstage/functions/internal/outcome"
)

// faultError is that of files that cannot be built.
type faultError struct{ fault *build.Error }

func (e *faultError) Error() string { return e.fault.Error() }

func (e *faultError) Unwrap() error { return e.fault }

// Outcome makes it an outcome.Teller.
func (e *faultError) Outcome() outcome.Outcome {
	message := e.fault.Error()
	if len(e.fault.Messages) > 0 {
		message = e.fault.Messages[0].String()
	}
	return outcome.Outcome{Status: http.StatusBadRequest, Message: message, Fault: outcome.FaultFunction}
}

// Details is the list of faults, each with its place.
func (e *faultError) Details() json.RawMessage { return details(e.fault.Messages) }

// details is a list of messages in JSON, nil if there are none.
func details(messages []build.Message) json.RawMessage {
	if len(messages) == 0 {
		return nil
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(messages); err != nil { // numbers and texts always marshal
		panic(err)
	}
	return bytes.TrimSpace(text.Bytes())
}

// explain says what an error of a Builder means.
func explain(err error) error {
	if fault, ok := errors.AsType[*build.Error](err); ok {
		return &faultError{fault}
	}
	switch {
	case errors.Is(err, build.ErrBusy):
		return outcome.New(outcome.Outcome{
			Status: http.StatusServiceUnavailable, Message: "Too many builds are under way", Reason: "builds", Retry: true,
		})
	case errors.Is(err, build.ErrTooLarge):
		return outcome.New(outcome.Outcome{
			Status: http.StatusRequestEntityTooLarge, Message: err.Error(), Fault: outcome.FaultFunction,
		})
	case errors.Is(err, build.ErrTimeout):
		return outcome.New(outcome.Outcome{
			Status: http.StatusBadRequest, Message: err.Error(), Fault: outcome.FaultFunction,
		})
	}
	return err
}
