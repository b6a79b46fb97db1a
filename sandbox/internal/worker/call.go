package worker

import (
	"io"
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// Call is one call that a process is to serve. Its ID and Behind are set by Serve.
type Call struct {
	wire.Invoke
	// Timeouts take the place of those of the Config.
	Timeouts Timeouts
	// Load is the code that the process is to be bound to; nil when it is bound already.
	Load *wire.Load
	// Before are calls of the kinds wire.Prepare and wire.Warmup, in this order, that a process which is rolled back
	// serves between Load and its snapshot. They have the Timeouts of the call, and are none for other processes.
	Before []*wire.Invoke
	// WarmupFailed, if it is set, is told what a warmup has thrown, from the goroutine of Serve: the process serves calls
	// all the same.
	WarmupFailed func(text string)
	// RolledBack, if it is set, is told how each attempt to put the process back ends, from the goroutine of Rollback.Wait
	// or LateWork.Wait.
	RolledBack func(RollbackOutcome)
	// Memory, in bytes, and CPU, in processors, are limits of the process from the moment on in which it is bound; 0 for
	// those of the Config. They have no effect without control groups.
	Memory int64
	CPU    float64
	// Stream begins an answer that comes in pieces: it gets the head frame, and what it returns gets the bytes, from the
	// goroutine of Serve. The process waits while that writes. If it has a method Flush() error, this is called when
	// nothing more has come yet. Nil makes such an answer ErrStream.
	Stream func(head *wire.Frame) (io.Writer, error)
	// A writer with a method Taken() uint64 tells by it what its reader takes during a write, one with a method Cut() ends
	// a write when the process has died, and one with a method Context() context.Context has the process killed when that
	// ends.
	Stalled func(stalled bool)
	// Detached lets the call go on when its context ends, until an answer begins that comes in pieces.
	Detached bool
	// Events is told what happens during the call and after its answer.
	Events Events
	// Progress, if it is set, is told how far the call is.
	Progress Progress
	// Offline keeps egress from learning of the call: what it connects to is refused.
	Offline bool
	// With are calls that are sent in the same write, which the process serves in order, each when Serve is called for it
	// with Sent set. A call has not begun while the one before it has no answer.
	With []*wire.Invoke
	// Sent says that the call is the next of those that were sent with an earlier one.
	Sent bool
	// BusyWait says that the answer will come so soon that being woken for it would take longer.
	BusyWait bool
}

// Progress is told how far a call is. Its methods must return at once.
type Progress interface {
	// MainReturned is called when main has returned before its answer is there. No call that was sent with this one has
	// begun then, and none will.
	MainReturned()
	// Stalled is told when the caller has taken nothing of a piece of a streamed answer for a while, and when it does
	// again or the call ends: from the goroutine of Serve or from another one.
	Stalled(stalled bool)
}

// Events is told what happens during a call: from the goroutine of Serve until that returns, and from that of
// LateWork.Wait after it.
type Events interface {
	// Log receives a line that the function has printed.
	Log(level, text string)
	// Span receives a span that the function has timed.
	Span(frame *wire.Frame)
	// Progress receives how far a queued call is.
	Progress(frame *wire.Frame)
	// AfterAnswer returns what is told of the work after the answer. It holds no memory that was for the call alone.
	AfterAnswer() Events
	// LateEnd comes last, if work went on after the answer.
	LateEnd()
}

// Answer is the outcome of a call.
type Answer struct {
	// Frame is the last one of the call: a result, an error, the end of what came in pieces, or the notice that it would
	// have been too large. It is nil after an error.
	*wire.Frame
	// Streamed is what has been sent of an answer in pieces; nil where none began. It is there after an error, too.
	Streamed *Streamed
	// Reusable says that the process may be used again.
	Reusable bool
	// CPU is the processor time that the call has used; 0 when the process was gone before its clock could be read.
	CPU time.Duration
	// Waited says that main had returned before the answer was there.
	Waited bool
	// Missed says that the busy wait ended without an answer.
	Missed bool
	// Allowed is how many bytes an answer that was too large may have had; OfError says that it was an error, which may
	// have fewer.
	Allowed int
	OfError bool
	// Rollback is set instead of Late by a process that is put back to a snapshot: it serves no other call before Wait of
	// that has returned.
	Rollback *Rollback
	// Late is work that goes on after the answer; nil when there is none. The process serves no other call before Wait has
	// returned.
	Late *LateWork
}
