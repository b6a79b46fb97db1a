package limits

import (
	"net/http"
	"time"

	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/usage"
)

// RateError refuses a call since there were as many as a rate allows. Nothing was run.
type RateError struct {
	usage.Subject
	Rate usage.Rate
	// RetryAfter is when there is room for another call.
	RetryAfter time.Duration
}

func (e *RateError) Error() string {
	return e.Subject.String() + " may have " + e.Rate.Words() + ", and has had them"
}

// Outcome says 429.
func (e *RateError) Outcome() outcome.Outcome {
	return outcome.Outcome{
		Status: http.StatusTooManyRequests, Message: "The " + e.Error(), Reason: "rate_limit", Fault: outcome.FaultCaller,
		Retry: true, RetryAfter: e.RetryAfter, Exact: true,
	}
}

// QuotaError refuses a call since what it may use in a day is used. Nothing was run.
type QuotaError struct {
	usage.Subject
	// What is used up, such as "1000 calls".
	What string
	// RetryAfter is when the next day begins.
	RetryAfter time.Duration
}

func (e *QuotaError) Error() string {
	return e.Subject.String() + " may use " + e.What + " a day (UTC), and has used them"
}

// Outcome says 429.
func (e *QuotaError) Outcome() outcome.Outcome {
	return outcome.Outcome{
		Status: http.StatusTooManyRequests, Message: "The " + e.Error(), Reason: "quota", Fault: outcome.FaultCaller,
		Retry: true, RetryAfter: e.RetryAfter, Exact: true,
	}
}
