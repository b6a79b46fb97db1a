package worker

import (
	"sync"
	"time"
)

// alarm tells the deadlines of a call that a time has come. A process has one for each kind of deadline and sets it
// anew for each call, most of which end long before: so the timer behind it is left running when a call ends. When it
// runs out, and what it is set to is later, it goes on until then. So to set and to stop an alarm is a few writes, and
// no work for Go's timers. The zero value is ready; it is safe for concurrent use.
//
//	calls    ├─1─┤├─2─┤├─3─┤             ├─4──────────────────────┤ rings
//	timer    ├── that of 1 ─────────────────────┤├─ that of 4 ────┤
type alarm struct {
	mu    sync.Mutex // guards the fields below
	of    *deadlines // nil while it is not set
	due   time.Time
	over  func(d *deadlines, due time.Time)
	timer *time.Timer // nil before the first use
	runs  time.Time   // until when the timer runs; zero when it does not
	ended bool
}

// set has over called for d, from a goroutine of its own, in so much time from now on. It takes the place of what was
// set before.
func (a *alarm) set(d *deadlines, now time.Time, timeout time.Duration, over func(d *deadlines, due time.Time)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.of, a.due, a.over = d, now.Add(timeout), over
	if !a.ended && (a.runs.IsZero() || a.due.Before(a.runs)) {
		a.runLocked(timeout)
	}
}

// runLocked has the timer run out in so much time, which is when the alarm is due.
func (a *alarm) runLocked(left time.Duration) {
	a.runs = a.due
	if a.timer == nil {
		a.timer = time.AfterFunc(left, a.fire)
		return
	}
	a.timer.Reset(left)
}

// fire is called when the timer has run out.
func (a *alarm) fire() {
	a.mu.Lock()
	a.runs = time.Time{}
	d, due, over := a.of, a.due, a.over
	if d == nil {
		a.mu.Unlock()
		return
	}
	if left := time.Until(due); left > 0 {
		if !a.ended {
			a.runLocked(left)
		}
		a.mu.Unlock()
		return
	}
	a.of, a.over = nil, nil
	a.mu.Unlock()
	over(d, due)
}

// stop says whether the alarm was set and has not rung. It does not ring any more.
func (a *alarm) stop() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	set := a.of != nil
	a.of, a.over = nil, nil
	return set
}

// end stops the timer of a process that is dead: no deadline can do more to it.
func (a *alarm) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	if a.timer != nil {
		a.timer.Stop()
	}
}
