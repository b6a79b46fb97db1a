package sandbox

import (
	"fmt"
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// What a call has begun and not awaited may go on after its answer, in the same worker and within the call's own deadline:
//
//	call      ├──── answer ····· requests under way ····· done ─┤ the worker is as after any call: idle, or ended
//	          │                                                 │
//	worker    │ serves nobody else until then, and is ended for a call that needs its room
//	          └──────────────── AsyncTimeout ───────────────────┴───────────────▶ killed
//
// Until then the exchange goes on: output, egress and limits are those of the call.

// LateEnd says how the work that a call had left at its answer came to its end.
type LateEnd string

// The ends of such work. All but LateFinished have cut some of it.
const (
	// LateFinished: it came to its end by itself.
	LateFinished LateEnd = "finished"
	// LateTimers: nothing but timers was left, which hold no worker.
	LateTimers LateEnd = "timers"
	// LateRefused: the invocation has it cut at the answer.
	LateRefused LateEnd = "refused"
	// LateDeadline: the time of the call was over.
	LateDeadline LateEnd = "deadline"
	// LateRoom: a call that waited needed the worker's room, or memory was short.
	LateRoom LateEnd = "room"
	// LateClosed: the pool is closing.
	LateClosed LateEnd = "closed"
	// LateDied: the worker died of it.
	LateDied LateEnd = "died"
)

// lateCauses tell the function's author why it was cut.
var lateCauses = map[LateEnd]string{
	LateTimers:   "timers alone do not go on after it",
	LateRefused:  "afterAnswer is cut",
	LateDeadline: "the time for the call was over",
	LateRoom:     "others needed its room or memory",
	LateClosed:   "the server ends",
	LateDied:     "the worker died",
}

// cutLine is what the output of a function says of so many pieces of work that were cut.
func cutLine(end LateEnd, pieces int) LogLine {
	what, level := "timers, requests or promises were", "error"
	if pieces == 1 {
		what = "timer, request or promise was"
	}
	if end == LateTimers { // such as the timeout of a race that is won: no fault by itself
		level = "info"
	}
	advice := "await it before the answer, or give its promise to Backstage.waitUntil"
	if end == LateRefused {
		advice = "await it before the answer"
	}
	return LogLine{Level: level, Text: fmt.Sprintf("%d %s cut after the answer: %s; %s", pieces, what, lateCauses[end], advice)}
}

// afterwork is such work in a child.
type afterwork interface {
	// rest waits for its end and says whether the child may be used again. It is called once, from any goroutine, and before the child is asked for
	// anything but to be killed.
	rest() (reusable bool)
}

// lateWork is what a call has left at its answer and what goes on in its process.
type lateWork struct {
	exchange *exchange
	pieces   int // that are left, by the worker's own account
	logged   int
	began    time.Time
}

// goOn has the work that is left go on after the answer of e; nil when the process is about to end.
func (p *process) goOn(e *exchange, pieces, logged int) *lateWork {
	if !e.known {
		p.forget(e)
	}
	if !e.watch.answered() {
		return nil
	}
	inv := e.turn.inv.slim()
	rest := *e
	rest.turn = &turn{inv: inv}
	return &lateWork{exchange: &rest, pieces: pieces, logged: logged, began: time.Now()}
}

// rest implements afterwork: it reads what the process writes until the work is over.
func (l *lateWork) rest() (reusable bool) {
	e := l.exchange
	p, inv := e.process, e.turn.inv
	reusable, end := l.read()
	if end != LateFinished {
		inv.late(cutLine(end, l.pieces))
	}
	e.watch.cpuUsed() // the process's clock is looked at while it is idle
	spared := e.end(nil)
	p.end()
	if inv.OnLateEnd != nil {
		inv.OnLateEnd()
	}
	p.cfg.Observer.LateWorkEnded(end, time.Since(l.began))
	return reusable && spared
}

// read reads the frames until the last one.
func (l *lateWork) read() (reusable bool, end LateEnd) {
	p, inv := l.exchange.process, l.exchange.turn.inv
	for counts := 0; ; {
		frame, err := p.frames.Next(l.exchange.id)
		if err == nil {
			switch frame.Type {
			case wire.Log:
				if l.logged += len(frame.Text) + len("\n"); l.logged <= p.cfg.Limits.Logs+len(truncated) {
					inv.late(LogLine{Level: frame.Level, Text: frame.Text})
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
					return frame.Reusable && p.frames.Buffered() == 0, LateTimers
				}
				return frame.Reusable && p.frames.Buffered() == 0, LateFinished
			default:
				err = errLate
			}
		}
		_, _, err = p.failed(err)
		return false, lateEndOf(err)
	}
}

// lateEndOf is the end of work whose process has died of err.
func lateEndOf(err error) LateEnd {
	switch err.(*DeathError).Reason { //nolint:errorlint,forcetypeassert // as made by failed
	case ReasonAfterAnswer, ReasonDeadline:
		return LateDeadline
	case ReasonEvicted, ReasonServerMemory:
		return LateRoom
	case ReasonClosed:
		return LateClosed
	default:
		return LateDied
	}
}

// slim is inv without the texts that were for its start: whoever counted their memory counts it no longer when the answer is out.
func (inv *Invocation) slim() *Invocation {
	rest := *inv
	rest.Code, rest.Compiled, rest.Env, rest.Request, rest.Outgoing, rest.OnLog, rest.OnSpan = "", nil, nil, Request{}, nil, nil, nil
	return &rest
}

// late gives a line that comes after the answer to whoever wants it.
func (inv *Invocation) late(line LogLine) {
	if inv.OnLate != nil {
		inv.OnLate(line)
	}
}
