package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/body"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// statusClientClosed answers a caller who did not wait. Nobody reads it but the access log.
const statusClientClosed = 499

// problem is an error that the caller is told as it is.
type problem struct {
	status  int
	message string
}

func (p *problem) Error() string { return p.message }

// failure is what an error looks like to the caller, and whether the log needs to know more.
type failure struct {
	status  int
	message string
	// reason is the machine-readable cause of a worker's death or of a refusal; empty for all else.
	reason string
	// header holds what the function had set before it failed.
	header []sandbox.HeaderField
	// retry says that the same request may succeed later, and after is when that is likely; 0 when nobody knows.
	retry bool
	after time.Duration
	// hidden says that err holds more than the caller is told, and an operator should see it.
	hidden bool
}

// failures maps the errors that are known by their identity.
var failures = []struct {
	err error
	failure
}{
	{function.ErrInvalidPage, failure{status: http.StatusBadRequest, message: function.ErrInvalidPage.Error()}},
	{function.ErrNotFound, failure{status: http.StatusNotFound, message: "Function not found"}},
	{function.ErrEnvNotFound, failure{status: http.StatusNotFound, message: "Env variable not found"}},
	{function.ErrNamespaceNotFound, failure{status: http.StatusNotFound, message: "Namespace not found"}},
	{sandbox.ErrTooLarge, failure{status: http.StatusRequestEntityTooLarge, message: "request entity too large"}},
	{body.ErrNoRoom, failure{
		status: http.StatusServiceUnavailable, message: "No memory for more requests", reason: "body_memory", retry: true,
	}},
	{invoke.ErrNoMemory, failure{
		status: http.StatusServiceUnavailable, message: "No memory for more requests", reason: "body_memory", retry: true,
	}},
	{invoke.ErrPipelineTimeout, failure{status: http.StatusRequestTimeout, message: "Pipeline timeout"}},
	{context.Canceled, failure{status: statusClientClosed, message: "Client closed the request"}},
	{sandbox.ErrBusy, failure{status: http.StatusServiceUnavailable, message: "No worker is free", retry: true}},
	{errFollowers, failure{
		status: http.StatusServiceUnavailable, message: "Too many requests follow the output of functions", retry: true,
	}},
	{errReaders, failure{
		status: http.StatusServiceUnavailable, message: "Too many requests read the output of functions", retry: true,
	}},
	{errOutnumbered, failure{
		status: http.StatusServiceUnavailable, retry: true,
		message: "Too many requests follow the output of functions: this one made room for another",
	}},
	{sandbox.ErrClosed, failure{status: http.StatusServiceUnavailable, message: "Server is shutting down", retry: true}},
	{function.ErrRecordTooLarge, failure{
		status: http.StatusInternalServerError, hidden: true,
		message: "The stored function is too large to be read: put it again with its env, or delete it",
	}},
	{function.ErrDamaged, failure{
		status: http.StatusInternalServerError, hidden: true,
		message: "The stored function is damaged: its code does not match its hash. Put its code again, restore a backup, or delete it",
	}},
	{function.ErrFull, failure{status: http.StatusServiceUnavailable, message: "Storage is full", retry: true, hidden: true}},
	{function.ErrUnavailable, failure{
		status: http.StatusServiceUnavailable, message: "Storage is unavailable", retry: true, hidden: true,
	}},
	{context.DeadlineExceeded, failure{
		status: http.StatusServiceUnavailable, message: "Server is too slow to answer", retry: true, hidden: true,
	}},
}

// classify finds out what err means to the caller.
func classify(err error) failure {
	if p, ok := errors.AsType[*problem](err); ok {
		return failure{status: p.status, message: p.message}
	}
	if unread, ok := errors.AsType[*body.Error](err); ok {
		return failure{status: unread.Status, message: unread.Message}
	}
	if thrown, ok := errors.AsType[*sandbox.FunctionError](err); ok {
		return failure{status: errorStatus(thrown.Status), message: thrown.Message, header: thrown.Header}
	}
	if death, ok := errors.AsType[*sandbox.DeathError](err); ok {
		return deathOf(death).failure
	}
	if missing, ok := errors.AsType[*function.NotFoundError](err); ok {
		return failure{status: http.StatusNotFound, message: missing.Error()}
	}
	if limit, ok := errors.AsType[*function.EnvLimitError](err); ok {
		return failure{status: envLimitStatus(limit), message: limit.Error()}
	}
	if refused, ok := refusalOf(err); ok {
		return refused
	}
	for _, known := range failures {
		if errors.Is(err, known.err) {
			return known.failure
		}
	}
	return failure{status: http.StatusInternalServerError, message: "internal error", hidden: true}
}

// envLimitStatus is that of a PUT of the function with such an environment.
func envLimitStatus(limit *function.EnvLimitError) int {
	if limit.Bytes > 0 {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// errorStatus is status if an answer can have it, else 500.
func errorStatus(status int) int {
	if isStatus(status) {
		return status
	}
	return http.StatusInternalServerError
}

// isStatus says whether status can end a request: those below 200 announce another answer.
func isStatus(status int) bool { return status >= 200 && status <= 599 }

// fail answers with err.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := classify(err)
	if f.hidden {
		s.logFailure(r, slog.LevelError, "Request failed", err)
	}
	if death, ok := errors.AsType[*sandbox.DeathError](err); ok {
		s.logDeath(r, death, err)
	}
	if missing, ok := errors.AsType[*sandbox.RuntimeError](err); ok {
		s.warnRuntime(r, missing)
	}
	h := w.Header()
	if errors.Is(err, body.ErrNoRoom) {
		h.Set("Connection", "close") // else the rest of the body would be waited for
	}
	if f.retry {
		h.Set("Retry-After", retryAfter(f.after))
	}
	o := newObject()
	o.string("error", f.message)
	if f.reason != "" {
		o.string("reason", f.reason)
	}
	result := &sandbox.Result{Status: f.status, Header: f.header, Body: o.end()}
	if sendResult(w, r, result) != nil {
		sendJSON(w, r, f.status, result.Body)
	}
}

// warnRuntime tells once of each runtime that functions are stored for and this server does not have.
func (s *server) warnRuntime(r *http.Request, missing *sandbox.RuntimeError) {
	if _, told := s.missingRuntimes.LoadOrStore(missing.Name, true); !told {
		s.Logger.LogAttrs(r.Context(), slog.LevelWarn, "Functions are stored for a runtime that this server does not have: add it to RUNTIMES, or "+
			"deploy them again with another one", slog.String("runtime", missing.Name), slog.String("url", r.RequestURI))
	}
}

// logFailure names the request; its ID comes with the context.
func (s *server) logFailure(r *http.Request, level slog.Level, message string, err error) {
	s.Logger.LogAttrs(r.Context(), level, message,
		slog.String("method", r.Method), slog.String("url", r.RequestURI), slog.String("error", err.Error()))
}
