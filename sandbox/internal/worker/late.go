package worker

import (
	"cmp"
	"fmt"
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// What a call has begun and not awaited may go on after its answer, in the same process and within the call's own
// deadline:
//
//	call      ├──── answer ····· requests under way ····· done ─┤ the process is as after any call: idle, or ended
//	          │                                                 │
//	process   │ serves nobody else until then, and is ended for a call that needs its room
//	          └──────────────── Timeouts.Async ─────────────────┴───────────────▶ killed
//
// Until then the exchange goes on: output, egress and limits are those of the call.

// lateCauses tell the function's author why it was cut, and what helps.
var lateCauses = map[LateEnd]string{
	LateTimers: "no request was under way, and timers alone do not go on after it; await it before the answer, or give " +
		"its promise to Backstage.waitUntil",
	LateRefused:  "afterAnswer is cut; await it before the answer",
	LateDeadline: "the time for the call was over; give the function a longer timeout, or make an asynchronous call of it",
	LateRoom:     "others needed its room or memory; await it before the answer, or let POOL_SIZE or the memory be more",
	LateClosed:   "the server ends; await it before the answer",
	LateDied:     "the worker died",
}

// cutLine is what the output of a function says of so many pieces of work that were cut.
func cutLine(end LateEnd, pieces int) (level, text string) {
	what, level := "timers, requests or promises were", "error"
	if pieces == 1 {
		what = "timer, request or promise was"
	}
	if end == LateTimers { // such as the timeout of a race that is won: no fault by itself
		level = "info"
	}
	return level, fmt.Sprintf("%d %s cut after the answer: %s", pieces, what, lateCauses[end])
}

// LateWork is what a call has left at its answer and what goes on in its process.
type LateWork struct {
	exchange *exchange
	pieces   int // that are left, by the worker's own account
	logged   int
	began    time.Time
}

// checkLeft looks at what the call has left with its answer: some of it was cut, some may go on.
func (e *exchange) checkLeft(frame *wire.Frame, logged int) (*LateWork, error) {
	end := LateTimers
	if frame.Late > 0 {
		if frame.Reusable || frame.Cut > 0 || cmp.Or(e.call.Kind, wire.Run) != wire.Run || e.call.Cut {
			return nil, errLate
		}
		if work := e.goOn(frame.Late, logged); work != nil {
			return work, nil
		}
		frame.Cut, end = frame.Late, LateDeadline
	}
	if frame.Cut == 0 {
		return nil, nil //nolint:nilnil // nothing is left
	}
	if e.call.Cut {
		end = LateRefused
	}
	e.call.Events.Log(cutLine(end, frame.Cut))
	e.process.cfg.Observer.LateWorkEnded(end, 0)
	return nil, nil //nolint:nilnil // it was cut
}

// goOn has the work that is left go on after the answer; nil when the process is about to end.
func (e *exchange) goOn(pieces, logged int) *LateWork {
	if !e.known {
		e.dropBatch(true)
	}
	if !e.watch.answered() {
		return nil
	}
	// What was for its start is not held any longer.
	e.call = &Call{Events: e.call.Events.AfterAnswer(), RolledBack: e.call.RolledBack}
	e.stream = nil
	return &LateWork{exchange: e, pieces: pieces, logged: logged, began: time.Now()}
}

// Wait waits for the end of the work and says whether the process may be used again. It must be called once, from any
// goroutine.
func (l *LateWork) Wait() (reusable bool) {
	e := l.exchange
	defer e.mu.Unlock()
	reusable, end := l.read()
	if end != LateFinished {
		e.call.Events.Log(cutLine(end, l.pieces))
	}
	spared := e.stop(new(Answer))
	e.end()
	e.call.Events.LateEnd()
	e.process.cfg.Observer.LateWorkEnded(end, time.Since(l.began))
	reusable = reusable && spared
	if reusable && e.process.tracked != nil {
		return e.rollBack()
	}
	return reusable
}

// read reads the frames until the last one.
func (l *LateWork) read() (reusable bool, end LateEnd) {
	e := l.exchange
	for counts := 0; ; {
		frame, err := e.frames.Next(e.id)
		if err == nil {
			switch frame.Type {
			case wire.Log:
				if l.logged += len(frame.Text) + len("\n"); l.logged <= e.process.cfg.Limits.Logs+len(truncated) {
					e.call.Events.Log(frame.Level, frame.Text)
					continue
				}
				err = errLogs
			case wire.Late:
				l.pieces = frame.Late
				if counts++; counts <= wire.MaxLate {
					continue
				}
				err = errLate
			case wire.Done:
				if l.pieces = frame.Cut; frame.Cut > 0 {
					return frame.Reusable && e.frames.Buffered() == 0, LateTimers
				}
				return frame.Reusable && e.frames.Buffered() == 0, LateFinished
			default:
				err = errLate
			}
		}
		return false, lateEndOf(e.process.failed(err))
	}
}

// lateEndOf is the end of work whose process has died.
func lateEndOf(death *Death) LateEnd {
	switch death.Reason {
	case AfterAnswer, Deadline:
		return LateDeadline
	case Evicted, ServerMemory:
		return LateRoom
	case Closed:
		return LateClosed
	default:
		return LateDied
	}
}
