package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// refusalOf finds out which call was not run, and why: 429 for one above a limit that was set, 503 for want of room.
func refusalOf(err error) (failure, bool) {
	if limit, ok := errors.AsType[*invoke.LimitError](err); ok {
		return failure{
			status: http.StatusTooManyRequests, retry: true, after: limit.RetryAfter, reason: string(limit.Scope) + "_limit",
			message: "The " + limit.Error(),
		}, true
	}
	if missing, ok := errors.AsType[*sandbox.RuntimeError](err); ok {
		return failure{
			status: http.StatusNotImplemented, reason: "unknown_runtime",
			message: fmt.Sprintf("The function asks for the runtime %s, which this server does not have: deploy it again with one of %s",
				missing.Name, strings.Join(missing.Known, ", ")),
		}, true
	}
	if busy, ok := errors.AsType[*sandbox.BusyError](err); ok && nestedTexts[busy.Cause] != "" {
		return failure{status: http.StatusLoopDetected, reason: string(busy.Cause), message: nestedTexts[busy.Cause]}, true
	}
	if busy, ok := errors.AsType[*sandbox.BusyError](err); ok {
		return failure{
			status: http.StatusServiceUnavailable, retry: true, after: busy.RetryAfter, reason: string(busy.Cause),
			message: "No worker is free",
		}, true
	}
	return failure{}, false
}

// nestedTexts are what a function is told that has called another one of this server.
var nestedTexts = map[sandbox.BusyCause]string{
	sandbox.BusyNested: "No worker is free for a call that a function makes while it holds one: it could wait for itself. " +
		"Use a pipeline, or have the caller make both calls",
	sandbox.BusyTooDeep: "Functions call each other more than " + strconv.Itoa(sandbox.MaxDepth) + " deep",
}

// Bounds on Retry-After: callers should neither hammer nor give up.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// retryAfter is the header of that name (RFC 9110, section 10.2.3) in whole seconds.
func retryAfter(after time.Duration) string {
	after = min(max(after, firstRetry), lastRetry)
	return strconv.Itoa(int((after + time.Second - 1) / time.Second))
}
