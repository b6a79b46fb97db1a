package api

import (
	"strconv"
	"time"
)

// Bounds on Retry-After: callers should neither hammer nor give up.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// retryAfter is the header of that name (RFC 9110, section 10.2.3) in whole seconds. It has an exact time however
// long that is.
func retryAfter(after time.Duration, exact bool) string {
	after = max(after, firstRetry)
	if !exact {
		after = min(after, lastRetry)
	}
	return strconv.Itoa(int((after + time.Second - 1) / time.Second))
}
