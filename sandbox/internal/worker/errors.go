package worker

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrUnsupported means that this host cannot give what was asked of it.
	ErrUnsupported = errors.New("sandbox: not supported on this host")
	// ErrTooLarge means that a call does not fit into one frame. Its process is as before.
	ErrTooLarge = errors.New("sandbox: invocation too large")
	// ErrStream means that the function answers in pieces and that the caller takes none. Its process is ended.
	ErrStream = errors.New("sandbox: the answer is a stream, which the caller does not take")
)

// Death is the error of a call whose process died before it had answered, and of a start whose process died before it
// was ready.
type Death struct {
	Reason Reason
	// ExitCode and Signal tell how the process ended; Signal is empty when it exited.
	ExitCode int
	Signal   string
	// Detail is more evidence, such as the end of what it wrote to stderr. It may hold text of the function's.
	Detail string
	// Lag is the time from the deadline until the process was dead; 0 when no deadline killed it.
	Lag time.Duration
	// Untouched says that the process had read nothing of the call: nothing of it can have happened.
	Untouched bool
	// NoSnapshot says that a process that is rolled back could not get its snapshot: nothing of the call has happened.
	NoSnapshot bool
	// Unprepared says that this comes from what the function has done before the snapshot, and Warmup that it was its
	// warmup.
	Unprepared, Warmup bool
}

func (d *Death) Error() string {
	text := "sandbox: worker died: " + d.ended()
	if d.Detail != "" {
		text += ": " + d.Detail
	}
	return text
}

// ended is the reason with the code or the signal.
func (d *Death) ended() string {
	switch d.Reason {
	case Exit:
		return fmt.Sprintf("%s with code %d", d.Reason, d.ExitCode)
	case Signal:
		return string(d.Reason) + " " + d.Signal
	default:
		return string(d.Reason)
	}
}
