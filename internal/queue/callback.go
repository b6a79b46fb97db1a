package queue

import (
	"strconv"
	"time"
)

// Callback is where the end of a call is told. The zero value is nowhere.
type Callback struct {
	// URL is where it is sent, and Secret the name of the secret of its function or namespace that signs it.
	URL, Secret string
}

// How often a callback is tried, and until how long after the end of its call.
const (
	CallbackAttempts = 10
	CallbackMaxAge   = 24 * time.Hour
)

// EventID names the end of a settled call: all attempts to tell of it have this name, and those of another end, after a
// redrive, have another one.
func (c *Call) EventID() string { return c.ID + "." + strconv.FormatInt(Millis(c.Settled), 10) }

// Stays says whether the record of a settled call has to stay: its callback is not over.
func (c *Call) Stays() bool { return c.Callback == Queued }

// Telling is the record of the callback of c, which has just been settled at now: a call of its own with the ID of c,
// in a queue of callbacks. Before is that of its end before a redrive, nil for none: numbers of takes go on, so that
// a sender that still has that one settles nothing.
func (c *Call) Telling(before *Call, now time.Time) *Call {
	job := &Call{
		Spec: c.Spec, Status: Queued, Created: now, Due: now, Until: now.Add(CallbackMaxAge),
	}
	job.Attempts, job.MaxAge, job.Payload, job.Steps = CallbackAttempts, CallbackMaxAge, nil, nil
	if before != nil {
		job.Takes = before.Takes
	}
	return job
}
