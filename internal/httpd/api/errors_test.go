package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// secret stands for what must never reach a caller.
const secret = "/srv/host/path: dial tcp 10.0.0.1"

func TestErrorsOfARunAreAnswered(t *testing.T) {
	died := func(reason sandbox.Reason) error {
		return &sandbox.DeathError{Reason: reason, ExitCode: 7, Signal: "SIGSEGV", Detail: secret}
	}
	for _, test := range []struct {
		name   string
		err    error
		status int
		want   string
	}{
		{"missing", &function.NotFoundError{Ref: function.Ref{Namespace: "n", ID: "f"}}, 404, `{"error":"Code 'n/f' is not found"}`},
		{"thrown", &sandbox.FunctionError{Status: 500, Message: "why", Text: "Error: why", Stack: secret}, 500, `{"error":"why"}`},
		{"thrown with a status", &sandbox.FunctionError{Status: 418, Message: `"é" <b>`}, 418, `{"error":"\"é\" <b>"}`},
		{"thrown with status 0", &sandbox.FunctionError{Status: 0, Message: "why"}, 500, `{"error":"why"}`},
		{"thrown with status 99", &sandbox.FunctionError{Status: 99, Message: "why"}, 500, `{"error":"why"}`},
		{"thrown with status 100", &sandbox.FunctionError{Status: 100, Message: "why"}, 500, `{"error":"why"}`},
		{"thrown with status 600", &sandbox.FunctionError{Status: 600, Message: "why"}, 600, `{"error":"why"}`},
		{"thrown with status 1000", &sandbox.FunctionError{Status: 1000, Message: "why"}, 500, `{"error":"why"}`},
		{"thrown NotModified", &sandbox.FunctionError{Status: 304, Message: "why"}, 304, ""},
		{"sync deadline", died(sandbox.ReasonSyncDeadline), 500, `{"error":"Script execution timed out."}`},
		{"deadline", died(sandbox.ReasonDeadline), 408, `{"error":"Function timeout"}`},
		{"memory", died(sandbox.ReasonMemory), 500, `{"error":"Function exceeded its memory limit (WORKER_MEMORY_LIMIT)","reason":"memory_limit"}`},
		{
			"memory of its own", &sandbox.DeathError{Reason: sandbox.ReasonMemory, Memory: 64 << 20}, 500,
			`{"error":"Function exceeded its memory limit (its own memory, 64mb)","reason":"memory_limit"}`,
		},
		{
			"heap of its own", &sandbox.DeathError{Reason: sandbox.ReasonHeap, Memory: 256 << 20}, 500,
			`{"error":"Function exceeded its heap limit, which is a part of its own memory, 256mb","reason":"heap_limit"}`,
		},
		{
			"memory of all workers", died(sandbox.ReasonServerMemory), 503,
			`{"error":"The server had no memory left for the call, which kept to its own limit","reason":"server_memory"}`,
		},
		{"heap", died(sandbox.ReasonHeap), 500, `{"error":"Function exceeded its heap limit, which is a part of WORKER_MEMORY_LIMIT","reason":"heap_limit"}`},
		{"exit", died(sandbox.ReasonExit), 500, `{"error":"Function process exited with code 7","reason":"exit"}`},
		{"signal", died(sandbox.ReasonSignal), 500, `{"error":"Function process was ended by signal SIGSEGV","reason":"signal"}`},
		{"system call", died(sandbox.ReasonSyscall), 500, `{"error":"Function made a system call that is not allowed","reason":"refused_syscall"}`},
		{"protocol", died(sandbox.ReasonProtocol), 500, `{"error":"Function process broke the worker protocol","reason":"protocol_error"}`},
		{"output", died(sandbox.ReasonOutput), 500, `{"error":"Function answered or logged more than it is allowed to","reason":"output_limit"}`},
		{
			"too large an answer", &sandbox.DeathError{Reason: sandbox.ReasonOutput, Answer: 9000123, Allowed: 8388608}, 500,
			`{"error":"The answer has 9000123 bytes with its headers, 8388608 are allowed: answer with less, or set RESPONSE_LIMIT","reason":"output_limit"}`,
		},
		{
			"too large an error", &sandbox.DeathError{Reason: sandbox.ReasonOutput, Answer: 2097152, Allowed: 1048576, OfError: true}, 500,
			`{"error":"The answer has 2097152 bytes with its headers, 1048576 are allowed for an error","reason":"output_limit"}`,
		},
		{"work between calls", died(sandbox.ReasonIdleActivity), 500, `{"error":"Function worked on after its answer","reason":"idle_activity"}`},
		{"a planned end", died(sandbox.ReasonEvicted), 500, `{"error":"Function process ended before it had answered","reason":"evicted"}`},
		{"pool closed under the call", died(sandbox.ReasonClosed), 503, `{"error":"Server is shutting down"}`},
		{"canceled in the worker", died(sandbox.ReasonCanceled), 499, `{"error":"Client closed the request"}`},
		{"canceled in the queue", context.Canceled, 499, `{"error":"Client closed the request"}`},
		{"busy", sandbox.ErrBusy, 503, `{"error":"No worker is free"}`},
		{"queue full", &sandbox.BusyError{Cause: sandbox.BusyQueueFull}, 503, `{"error":"No worker is free","reason":"queue_full"}`},
		{"expected wait", &sandbox.BusyError{Cause: sandbox.BusyExpectedWait}, 503, `{"error":"No worker is free","reason":"expected_wait"}`},
		{"queue timeout", &sandbox.BusyError{Cause: sandbox.BusyQueueTimeout}, 503, `{"error":"No worker is free","reason":"queue_timeout"}`},
		{
			"limit of a function", &invoke.LimitError{Scope: invoke.ScopeFunction, Name: "n/f", Limit: 2}, 429,
			`{"error":"The function n/f has 2 calls at a time, which is its limit","reason":"function_limit"}`,
		},
		{
			"limit of one", &invoke.LimitError{Scope: invoke.ScopeFunction, Name: "n/f", Limit: 1}, 429,
			`{"error":"The function n/f has 1 call at a time, which is its limit","reason":"function_limit"}`,
		},
		{
			"limit of a namespace", &invoke.LimitError{Scope: invoke.ScopeNamespace, Name: "n", Limit: 2}, 429,
			`{"error":"The namespace n has 2 calls at a time, which is its limit","reason":"namespace_limit"}`,
		},
		{
			"a runtime that is not there", &sandbox.RuntimeError{Name: "node9", Known: []string{"node8", "node24"}}, 501,
			`{"error":"The function asks for the runtime node9, which this server does not have: deploy it again with one of node8, node24",` +
				`"reason":"unknown_runtime"}`,
		},
		{"closed", sandbox.ErrClosed, 503, `{"error":"Server is shutting down"}`},
		{"too large", sandbox.ErrTooLarge, 413, `{"error":"request entity too large"}`},
		{"store away", fmt.Errorf("%s: %w", secret, function.ErrUnavailable), 503, `{"error":"Storage is unavailable"}`},
		{"too slow", fmt.Errorf("%s: %w", secret, context.DeadlineExceeded), 503, `{"error":"Server is too slow to answer"}`},
		{"unknown", errors.New(secret), 500, `{"error":"internal error"}`},
	} {
		for _, request := range [][2]string{{"POST", "/functions/n/f/run"}, {"PUT", "/functions/pipeline?steps[]=n/f"}} {
			t.Run(test.name+" "+request[0], func(t *testing.T) {
				url := serve(t, Options{Invoker: answering(nil, fmt.Errorf("invoke: %w", test.err))})
				res, body := do(t, newRequest(t, request[0], url+request[1], ""))
				want := test.want
				if request[0] == "PUT" && want != "" {
					want = strings.TrimSuffix(want, "}") + `,"details":{}}`
				}
				expect(t, res, body, test.status, want)
				if want := map[bool]string{true: "1"}[test.status == 503 || test.status == 429]; res.Header.Get("Retry-After") != want {
					t.Errorf("Retry-After is %q, want %q", res.Header.Get("Retry-After"), want)
				}
				if res.Header.Get("X-Request-Id") == "" {
					t.Error("the answer has no invocation ID")
				}
			})
		}
	}
}

func TestHeadersOfAFailedAnswerStay(t *testing.T) {
	for _, test := range []struct {
		set        []sandbox.HeaderField
		name, want string
	}{
		{fields("X-A", "1"), "X-A", "1"},
		{fields("Content-Type", "text/plain"), "Content-Type", "text/plain; charset=utf-8"},
		{fields("Content-Type", "nonsense"), "Content-Type", "application/json; charset=utf-8"},
		{fields("X-A", "1\n2"), "X-A", ""},
	} {
		err := &sandbox.FunctionError{Status: 500, Message: "why", Header: test.set}
		res, body := do(t, newRequest(t, "GET", serve(t, Options{Invoker: answering(nil, err)})+"/functions/n/f/run", ""))
		expect(t, res, body, 500, `{"error":"why"}`)
		if got := res.Header.Get(test.name); got != test.want {
			t.Errorf("%s is %q, want %q", test.name, got, test.want)
		}
	}
}

// identified is a handler that takes the ID of a request from the context, as that of the server does.
type identified struct{ slog.Handler }

func (h identified) Handle(ctx context.Context, r slog.Record) error {
	r.AddAttrs(slog.String("requestId", RequestID(ctx)))
	return h.Handler.Handle(ctx, r)
}

func TestCausesAreLoggedNotAnswered(t *testing.T) {
	for _, test := range []struct {
		err    error
		logged bool
	}{
		{errors.New(secret), true},
		{fmt.Errorf("%s: %w", secret, function.ErrUnavailable), true},
		{&sandbox.DeathError{Reason: sandbox.ReasonSignal, Detail: secret}, true},
		{&sandbox.DeathError{Reason: sandbox.ReasonDeadline, Detail: secret}, false},
		{&sandbox.FunctionError{Status: 500, Message: "why", Stack: secret}, false},
		{sandbox.ErrBusy, false},
	} {
		var log strings.Builder
		logger := slog.New(identified{slog.NewTextHandler(&log, nil)})
		_, body := do(t, newRequest(t, "GET", serve(t, Options{Invoker: answering(nil, test.err), Logger: logger})+"/functions/n/f/run", "", "X-Request-Id", "call-7"))
		if strings.Contains(body, secret) {
			t.Errorf("%v: answered %s", test.err, body)
		}
		if got := strings.Contains(log.String(), secret) && strings.Contains(log.String(), "requestId=call-7"); got != test.logged {
			t.Errorf("%v: logged %t, want %t", test.err, got, test.logged)
		}
	}
}

func TestStoreFailuresAreAnswered(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		want   string
	}{
		{fmt.Errorf("redis: %s: %w", secret, function.ErrUnavailable), 503, `{"error":"Storage is unavailable"}`},
		{errors.New(secret), 500, `{"error":"internal error"}`},
	} {
		store := newFakeStore()
		store.err = test.err
		url := serve(t, Options{Store: store})
		for _, request := range [][3]string{
			{"GET", "/functions", ""},
			{"PUT", "/functions/n/f", `{"code":"1"}`},
			{"GET", "/functions/n/f", ""},
			{"DELETE", "/functions/n/f", ""},
			{"PUT", "/functions/n/f/env/A", `"v"`},
			{"DELETE", "/functions/n/f/env/A", ""},
			{"PUT", "/namespaces/n", `{}`},
			{"GET", "/namespaces/n", ""},
			{"DELETE", "/namespaces/n", ""},
		} {
			res, body := do(t, newRequest(t, request[0], url+request[1], request[2], "Content-Type", "application/json"))
			expect(t, res, body, test.status, test.want)
		}
	}
}

func TestRetryAfterIsTheExpectedTimeWithinBounds(t *testing.T) {
	for after, want := range map[time.Duration]string{
		0: "1", time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2", 7 * time.Second: "7", time.Hour: "30",
	} {
		for _, err := range []error{
			&sandbox.BusyError{Cause: sandbox.BusyQueueFull, RetryAfter: after},
			&invoke.LimitError{Scope: invoke.ScopeFunction, RetryAfter: after},
		} {
			res, _ := do(t, newRequest(t, "GET", serve(t, Options{Invoker: answering(nil, err)})+"/functions/n/f/run", ""))
			if got := res.Header.Get("Retry-After"); got != want {
				t.Errorf("%T with %v: Retry-After is %q, want %q", err, after, got, want)
			}
		}
	}
}
