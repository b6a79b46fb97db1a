package outcome_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox"
)

const (
	server   = outcome.FaultServer
	caller   = outcome.FaultCaller
	ofItself = outcome.FaultFunction
)

func thrown(status int, own bool) error {
	return &sandbox.FunctionError{Status: status, HasStatus: own, Message: "why"}
}

func died(reason sandbox.Reason) error { return &sandbox.DeathError{Reason: reason, Detail: "secret"} }

func busy(cause sandbox.BusyCause) error {
	return &sandbox.BusyError{Cause: cause, RetryAfter: time.Minute}
}

func TestErrorsHaveOneMeaning(t *testing.T) {
	for _, row := range []struct {
		name   string
		err    error
		status int
		reason string
		fault  outcome.Fault
		retry  bool
		hidden bool
	}{
		{"thrown", thrown(500, false), 500, "", ofItself, false, false},
		{"thrown with a status of its own", thrown(503, true), 503, "", ofItself, false, false},
		{"thrown at its caller", thrown(422, true), 422, "", caller, false, false},
		{"thrown for lack of time", thrown(408, true), 408, "", ofItself, false, false},
		{"thrown with a status that announces another answer", thrown(150, false), 500, "", ofItself, false, false},
		{"thrown with a status that is none", thrown(0, false), 500, "", ofItself, false, false},
		{"no return", died(sandbox.ReasonSyncDeadline), 500, "", ofItself, false, false},
		{"no answer", died(sandbox.ReasonDeadline), 408, "", ofItself, false, false},
		{"no more of a stream", died(sandbox.ReasonStreamIdle), 500, "stream_idle", ofItself, false, false},
		{"an endless stream", died(sandbox.ReasonStreamLimit), 500, "stream_limit", ofItself, false, false},
		{"a stream where none can be", sandbox.ErrStream, 500, "", ofItself, false, false},
		{"a stream that was not taken", &sandbox.StreamError{Err: io.ErrClosedPipe}, 499, "", caller, false, false},
		{"a stream that died", &sandbox.StreamError{Err: died(sandbox.ReasonExit)}, 500, "exit", ofItself, false, false},
		{"a stream that nobody reads", &sandbox.StreamError{Err: died(sandbox.ReasonStreamUnread)}, 500, "stream_unread", caller, false, false},
		{"a stream that gave way", &sandbox.StreamError{Err: died(sandbox.ReasonEvicted)}, 500, "evicted", caller, false, false},
		{"a stream that threw", &sandbox.StreamError{Err: thrown(500, false)}, 500, "", ofItself, false, false},
		{"memory", died(sandbox.ReasonMemory), 500, "memory_limit", ofItself, false, false},
		{"memory of all workers", died(sandbox.ReasonServerMemory), 503, "server_memory", server, true, false},
		{"heap", died(sandbox.ReasonHeap), 500, "heap_limit", ofItself, false, false},
		{"exit", died(sandbox.ReasonExit), 500, "exit", ofItself, false, false},
		{"signal", died(sandbox.ReasonSignal), 500, "signal", ofItself, false, false},
		{"system call", died(sandbox.ReasonSyscall), 500, "refused_syscall", ofItself, false, false},
		{"protocol", died(sandbox.ReasonProtocol), 500, "protocol_error", ofItself, false, false},
		{"output", died(sandbox.ReasonOutput), 500, "output_limit", ofItself, false, false},
		{"work between calls", died(sandbox.ReasonIdleActivity), 500, "idle_activity", ofItself, false, false},
		{"a planned end", died(sandbox.ReasonEvicted), 500, "evicted", server, false, false},
		{"killed at the end of the server", died(sandbox.ReasonClosed), 503, "", server, true, false},
		{"killed for its caller", died(sandbox.ReasonCanceled), 499, "", caller, false, false},
		{"full queue", busy(sandbox.BusyQueueFull), 503, "queue_full", server, true, false},
		{"long queue", busy(sandbox.BusyExpectedWait), 503, "expected_wait", server, true, false},
		{"slow queue", busy(sandbox.BusyQueueTimeout), 503, "queue_timeout", server, true, false},
		{"would wait for itself", busy(sandbox.BusyNested), 508, "nested_call", caller, false, false},
		{"too deep", busy(sandbox.BusyTooDeep), 508, "nested_too_deep", caller, false, false},
		{"runtime that is not there", &sandbox.RuntimeError{Name: "node9"}, 501, "unknown_runtime", server, false, false},
		{"closed", sandbox.ErrClosed, 503, "", server, true, false},
		{"call too large", sandbox.ErrTooLarge, 413, "", caller, false, false},
		{"body", &body.Error{Status: 415, Message: "why"}, 415, "", caller, false, false},
		{"no room for a body", body.ErrNoRoom, 503, "body_memory", server, true, false},
		{"no such function", &function.NotFoundError{}, 404, "", caller, false, false},
		{"no such namespace", function.ErrNamespaceNotFound, 404, "", caller, false, false},
		{"long env", &function.EnvLimitError{Bytes: 1}, 413, "", caller, false, false},
		{"no such call", queue.ErrNotFound, 404, "", caller, false, false},
		{"a call that has ended", queue.ErrSettled, 409, "settled", caller, false, false},
		{"a call that has not ended", queue.ErrNotSettled, 409, "not_settled", caller, false, false},
		{"too many calls", queue.ErrFull, 429, "calls_full", caller, true, false},
		{"too many calls of all", queue.ErrStoreFull, 429, "calls_store_full", caller, true, false},
		{"an old Redis", queue.ErrUnsupported, 501, "calls_unsupported", caller, false, false},
		{"store away", function.ErrUnavailable, 503, "", server, true, true},
		{"store full", function.ErrFull, 503, "", server, true, true},
		{"damaged", function.ErrDamaged, 500, "", server, false, true},
		{"damaged source", function.ErrDamagedSource, 500, "", server, false, true},
		{"caller left", context.Canceled, 499, "", caller, false, false},
		{"too slow", context.DeadlineExceeded, 503, "", server, true, true},
		{"one that says it itself", outcome.BadRequest("why"), 400, "", caller, false, false},
		{"unknown", errors.New("secret"), 500, "", server, false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := outcome.Of(fmt.Errorf("secret: %w", row.err))
			if o.Status != row.status || o.Reason != row.reason || o.Fault != row.fault || o.Retry != row.retry || o.Hidden != row.hidden {
				t.Errorf("got %+v", o)
			}
			if o.Message == "" {
				t.Error("the caller is told nothing")
			}
			if limit, ok := errors.AsType[*sandbox.BusyError](row.err); ok && o.Retry && o.RetryAfter != limit.RetryAfter {
				t.Errorf("again after %v, want %v", o.RetryAfter, limit.RetryAfter)
			}
		})
	}
}
