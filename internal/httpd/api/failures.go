package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/outcome"
)

// A client may show this many keys in a row that are not valid, and then one every so often; so many clients are known.
const (
	failureBurst = 20
	failureEvery = 3 * time.Second
	maxFailing   = 10_000
)

// reasonFailures is the reason of answers to those who have shown too many keys that are not valid.
const reasonFailures = "too_many_failures"

// isGuess says whether err, of reading a key, is that one was shown which is not valid.
func isGuess(err error) bool {
	return errors.Is(err, identity.ErrUnknown) || errors.Is(err, identity.ErrExpired) || errors.Is(err, errKeysTwice) ||
		errors.Is(err, errNotBearer)
}

// countGuess returns refusal, or, where r is one too many of its client that showed a key which is not valid, another
// one. A valid key is served whatever comes from the same address: behind a proxy that is not trusted, all callers have
// one, and nobody is to lock others out. No guess is helped by that: see package identity for how many there are.
func (s *server) countGuess(w http.ResponseWriter, r *http.Request, refusal error) error {
	if !isGuess(accessOf(r).err) {
		return refusal
	}
	wait, ok := s.failures.Take(s.Client(r), time.Now())
	if ok {
		return refusal
	}
	w.Header().Set("Retry-After", retryAfter(wait, false))
	return outcome.New(outcome.Outcome{
		Status: http.StatusTooManyRequests, Reason: reasonFailures, Fault: outcome.FaultCaller,
		Message: "Too many keys that are not valid came from this address: send a valid one, or wait",
	})
}
