package invoke

import (
	"slices"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// Records keeps records of calls whose callers wait. Its methods must be safe for concurrent use and must not block.
type Records interface {
	// Wants says whether the record of a call of that function is to be kept which has ended with that status.
	Wants(ref function.Ref, status int) bool
	// Ended is told of a call whose record is wanted.
	Ended(e *Ended)
}

// Ended is a call that has ended, without its request. What it has of its function's has no values of secrets.
type Ended struct {
	Ending
	Function *function.Function
	// ID and TraceID are those of the Call, Caller the ID of its key, Via how it came, and Step which step of a pipeline
	// it is, from 1; 0 for none.
	ID, TraceID, Caller, Via string
	Step                     int
	// Start is when it was asked for, Took how long that took.
	Start time.Time
	Took  time.Duration
	// Text is what JavaScript would call String(error) of the error; empty without one.
	Text string
	// Lines are the last ones that it has printed.
	Lines []sandbox.LogLine
	// Timeout, SyncTimeout and Memory are the limits of the function itself; 0 for those of the server.
	Timeout, SyncTimeout time.Duration
	Memory               int64
}

// keep tells the records of a call that has ended, unless it is an attempt of one that is in the queue.
func (v *Invoker) keep(e *entry, call *Call, at *place, ending *Ending, took time.Duration, last *lastLines) {
	if v.records == nil || call.Queued != nil || !v.records.Wants(e.fn.Ref, ending.Status) {
		return
	}
	ended := &Ended{
		Ending: *ending, Function: e.fn, ID: call.ID, TraceID: call.TraceID, Caller: call.Key.ID, Via: call.Via,
		Step: at.step, Start: at.start, Took: took, Lines: last.all(),
		Timeout: e.timeout, SyncTimeout: e.syncTimeout, Memory: e.memory,
	}
	if ending.Err != nil {
		ended.Text, _ = failureTexts(ending.Err)
	}
	v.records.Ended(ended)
}

// mostLast is how many of the last lines of a call its record has.
const mostLast = 10

// lastLines are the last lines of a call. The zero value has none, and takes no memory.
type lastLines struct {
	lines []sandbox.LogLine
	next  int // where the oldest one is, once there are as many as may be
}

func (l *lastLines) add(line sandbox.LogLine) {
	if len(l.lines) < mostLast {
		l.lines = append(l.lines, line)
		return
	}
	l.lines[l.next] = line
	l.next = (l.next + 1) % mostLast
}

// all are the lines in their order.
func (l *lastLines) all() []sandbox.LogLine { return slices.Concat(l.lines[l.next:], l.lines[:l.next]) }
