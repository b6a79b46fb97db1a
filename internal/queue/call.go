package queue

import (
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/usage"
)

// Status is the state of a call.
type Status string

// The states of queued calls, which are settled in one of the last three. Failed is of those whose callers wait.
const (
	Queued    Status = "queued"
	Running   Status = "running"
	Succeeded Status = "succeeded"
	Dead      Status = "dead"
	Cancelled Status = "cancelled"
)

// Statuses are all of them.
var Statuses = []Status{Queued, Running, Succeeded, Failed, Dead, Cancelled}

// Settled says whether nothing moves the call any more but a redrive.
func (s Status) Settled() bool { return s == Succeeded || s == Failed || s == Dead || s == Cancelled }

// The reasons of the store itself why a call is dead or an attempt failed.
const (
	ReasonLeaseLost = "lease_lost" // its server did not renew its lease
	ReasonMaxAge    = "max_age"    // it was too old for one more attempt
	ReasonFull      = "calls_full" // there was no room for what a step of a pipeline left for the next one
)

// FreeGrowth is by how many bytes what a step leaves for the next one may be longer than what the first one got, be
// there room for that or not: pipelines of short texts go on where others have filled the store. All steps together
// have it once: a pipeline may have hundreds.
const FreeGrowth = 4 << 10

// Spec is what is asked for with a call. Nothing of it changes.
type Spec struct {
	// ID names the call. It is a version 7 UUID, so that lists are in the order of time.
	ID  string
	Ref function.Ref
	// Caller is the ID of the caller's key, or who has shown a token; empty for none. Limits are those of the key.
	Caller string
	Limits usage.Limits
	// Guest says that the caller has no role in the namespace: the function is open to them. It is not kept.
	Guest bool
	// RequestID and TraceID are those of the request that the call came with.
	RequestID, TraceID string
	// URI is what the caller asked for, for the log.
	URI string
	// Payload is the request of the function in the form of those who run it.
	Payload []byte
	// Attempts is how often the call may be tried, Backoff the longest wait after its first failure, and MaxAge how long
	// after its put an attempt may begin.
	Attempts        int
	Backoff, MaxAge time.Duration
	// Steps are those of a pipeline, of which the first one has the Ref, Attempts, Backoff and MaxAge above; empty for a
	// call of one function.
	Steps []Step
	// Keep is how long its record is kept once it has succeeded or was cancelled, KeepDead once it is dead.
	Keep, KeepDead time.Duration
	// Key is the caller's idempotency key, together with whose it is; empty for none. Until KeyFor is over another put
	// with it in this namespace adds nothing. Print tells one request from another.
	Key    string
	Print  string
	KeyFor time.Duration
	// CallTo is where its end is told.
	CallTo Callback
	// Held says that this is no call to be taken but a Hold, as stores of one process keep it.
	Held bool
}

// Call is the record of a call. GetCall and ListCalls leave out the payload.
type Call struct {
	Spec
	Status Status
	// Takes counts how often it was taken; the last take holds its lease. Used is how many of its attempts are used, of a
	// pipeline those of its current step.
	Takes, Used int
	// Step is the index of the current step of a pipeline. First is how many bytes its first one got, once that has been
	// done, in stores of one process.
	Step  int
	First int64
	// Created is when it was put, Due from when on it may be taken, Until when its last attempt may begin.
	Created, Due, Until time.Time
	// Taken, Lease and Server are of the last take: when it was, until when it holds, and whose it is.
	Taken, Lease time.Time
	Server       string
	// Settled is when it was; Expires is when its record goes.
	Settled, Expires time.Time
	// Reason says why it is dead.
	Reason string
	// History has the attempts that were used, the oldest first.
	History []Attempt
	// Progress is what the function last told of it: JSON, empty for nothing.
	Progress []byte
	// HasResult says that there is an answer. Dropped is how long one was that is not kept, in bytes, for lack of room or
	// since it is too long; 0 for none.
	HasResult bool
	Dropped   int64
	// ResultBytes is how long the answer is. GetCall alone says it.
	ResultBytes int64
	// Callback is the state of telling its end: empty as long as there is nothing to tell, then Queued until it is over.
	Callback Status
}

// Attempt is one that was used. Detail is JSON of those who ran it.
type Attempt struct {
	Start, End time.Time
	Detail     []byte
}

// Lease is what a taker holds of a call.
type Lease struct {
	Ref  function.Ref
	ID   string
	Take int
}

// LeaseOf is that of a call which was taken just now.
func LeaseOf(c *Call) Lease { return Lease{c.Ref, c.ID, c.Takes} }

// Renewal renews a lease. Progress, if not empty, is kept with the call.
type Renewal struct {
	Lease
	Progress []byte
}

// Outcome is how a take ended.
type Outcome string

// The outcomes.
const (
	Done  Outcome = "done"  // the call succeeded
	Fail  Outcome = "fail"  // it failed, and would again
	Retry Outcome = "retry" // it failed: one attempt is used; it is tried again if there is one left
	Back  Outcome = "back"  // it did not start: no attempt is used
	Next  Outcome = "next"  // a step of a pipeline succeeded: the next one is queued, with all its attempts
)

// Settlement ends a take.
type Settlement struct {
	Lease
	Outcome Outcome
	// Delay is how long a Retry or Back waits at least.
	Delay time.Duration
	// Detail describes the attempt, in JSON; Back has none. Reason says in a word why it failed.
	Detail []byte
	Reason string
	// Result is the answer, in the form of those who run calls; empty for none. It is kept with a settled call, if there
	// is room for it within Limits; the zero value sets no bound. Dropped is how long an answer is that is too long to be
	// kept, of which Result has nothing.
	Result  []byte
	Limits  Limits
	Dropped int64
	// Payload takes the place of that of the call after Next. Where there is no room for it within Limits, and it is
	// longer than that, and than what the first step got by more than FreeGrowth, the call is dead instead, with
	// ReasonFull: a redrive runs the step again.
	Payload []byte
	// Progress, if not empty, is kept with a call that is settled, as that of a Renewal is.
	Progress []byte
}
