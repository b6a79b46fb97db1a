package worker

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// failed ends the process after err, which reading or writing gave, and says why it is dead.
func (p *Process) failed(err error) *Death {
	if errors.Is(err, os.ErrDeadlineExceeded) { // which nothing but killAt brings about
		return p.killedAtDeadline()
	}
	ending := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, wire.ErrEmpty) ||
		errors.Is(err, os.ErrClosed)
	broken := !ending && !isBrokenPipe(err)
	if broken {
		reason := Protocol
		if errors.Is(err, wire.ErrTooLong) || errors.Is(err, errLogs) {
			reason = Output
		}
		p.Kill(reason)
	}
	// An end of the stream means that the process is ending, or that it closed its side and lives on, which it may not.
	death := p.endSoon()
	if broken && death.Detail == "" {
		death.Detail = err.Error()
	}
	if death.Reason == Retired { // which it may say of itself after its answer and not before
		death.Reason = Exit
	}
	return death
}

// failedUnanswered is failed for a process that has said nothing since it was sent a call. When all bytes of that are
// still in the pipe to it, it died without having read any: nothing but a read takes bytes out of a pipe (pipe(7);
// JavaScript has no tee(2)), and nobody but itself could read there: nothing of the call has happened.
func (e *exchange) failedUnanswered(err error) *Death {
	p := e.process
	death := p.failed(err)
	p.mu.Lock()
	defer p.mu.Unlock()
	death.Untouched = p.reason == "" && !e.call.Sent && p.unread == e.sent
	return death
}

// killedAtDeadline returns the outcome of a call whose deadline has passed.
func (p *Process) killedAtDeadline() *Death {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &Death{Reason: p.reason, Lag: time.Since(p.deadline)}
}

// endSoon gives the process a moment to end by itself, so that its own end is seen and not ours. One that is at its end
// already is told by how it ends, however long that takes on a busy machine.
func (p *Process) endSoon() *Death {
	grace := time.AfterFunc(time.Second, func() {
		if ending(p.handle.pid()) {
			p.handle.kill() // which sees to it that the end is told
			return
		}
		p.Kill(Protocol)
	})
	defer grace.Stop()
	return p.waitExit()
}

func isBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
