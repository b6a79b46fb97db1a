package api

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/backstage/functions/internal/httpd/answer"
	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/rawjson"
)

// detailed is an error whose answer has details, in JSON.
type detailed interface {
	error
	Details() json.RawMessage
}

// fail answers with err.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	o := outcome.Of(err)
	if o.Hidden {
		s.logFailure(r, slog.LevelError, "Request failed", err)
	}
	s.logDeath(r, o, err)
	if missing, ok := errors.AsType[*sandbox.RuntimeError](err); ok {
		s.warnRuntime(r, missing)
	}
	if rec, ok := w.(*answer.Recorder); ok {
		rec.Reason = o.Reason
		_, rec.OfFunction = errors.AsType[*sandbox.FunctionError](err)
	}
	h := w.Header()
	if errors.Is(err, body.ErrNoRoom) && r.ProtoMajor == 1 {
		h.Set("Connection", "close") // else the rest of the body would be waited for
	}
	if o.Retry {
		h.Set("Retry-After", retryAfter(o.RetryAfter, o.Exact))
	}
	result := failureOf(o, err)
	if sendResult(w, r, result) != nil {
		sendJSON(w, r, o.Status, result.Body)
	}
}

// failureOf is the answer that says err, which means o. Retry-After is apart from it.
func failureOf(o outcome.Outcome, err error) *sandbox.Result {
	text := rawjson.NewObject(nil)
	text.String("error", o.Message)
	if o.Reason != "" {
		text.String("reason", o.Reason)
	}
	if whole, ok := errors.AsType[detailed](err); ok {
		text.Raw("details", whole.Details())
	}
	return &sandbox.Result{Status: o.Status, Header: o.Header, Body: text.End()}
}

// logDeath logs the evidence of a worker's death that needs explaining; that of a deadline is in its name.
func (s *server) logDeath(r *http.Request, o outcome.Outcome, err error) {
	if _, died := errors.AsType[*sandbox.DeathError](err); died && o.Reason != "" {
		s.logFailure(r, slog.LevelWarn, "Worker died", err)
	}
}

// warnRuntime tells once of each runtime that functions are stored for and this server does not have, and again when it
// was there meanwhile.
func (s *server) warnRuntime(r *http.Request, missing *sandbox.RuntimeError) {
	for _, name := range missing.Known {
		s.missingRuntimes.Delete(name)
	}
	if _, told := s.missingRuntimes.LoadOrStore(missing.Name, true); !told {
		s.Logger.LogAttrs(
			r.Context(),
			slog.LevelWarn,
			"Functions are stored for a runtime that this server does not have: add it by functions runtimes add or "+
				"RUNTIMES, or deploy them again with another one",
			slog.String("runtime", missing.Name),
			slog.String("url", urlOf(r)),
		)
	}
}

// logFailure names the request; its ID comes with the context.
func (s *server) logFailure(r *http.Request, level slog.Level, message string, err error) {
	s.Logger.LogAttrs(r.Context(), level, message,
		slog.String("method", r.Method), slog.String("url", urlOf(r)), slog.String("error", err.Error()))
}
