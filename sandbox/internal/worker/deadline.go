package worker

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// wallFactor is how much longer than the sync timeout a call may take by the wall clock until main has returned:
// CODE_SYNC_TIMEOUT is counted in CPU time, so that a busy neighbour does not fail an innocent call.
const wallFactor = 10

// loadRate is how many bytes of code a process reads and compiles in a second at least. That is not main's time: the
// original did not count it either.
const loadRate = 1 << 20

// loadTime is how much CPU time a process may take, beside the sync timeout, to load so many bytes of code.
func loadTime(bytes int) time.Duration {
	return time.Duration(bytes) * time.Second / loadRate
}

// Timeouts are those of a call: Sync until main has returned, in CPU time, and Async until the answer and the end of
// what goes on after it, by the clock. An answer that comes in pieces has two others from its head on: Idle is how long
// the next piece may take while the caller waits for it, Total how long all of them may take, Unread how long the
// caller may take nothing of a piece that is there. 0 stands for the one that all calls of the pool have; where these
// have no Total, there is no such limit.
type Timeouts struct{ Sync, Async, Idle, Total, Unread time.Duration }

// or returns t with those of all calls where it has none.
func (t Timeouts) or(all Timeouts) Timeouts {
	return Timeouts{
		cmp.Or(t.Sync, all.Sync), cmp.Or(t.Async, all.Async), cmp.Or(t.Idle, all.Idle), cmp.Or(t.Total, all.Total),
		cmp.Or(t.Unread, all.Unread),
	}
}

// deadlines watches one call and kills its process when it takes too long. Its methods are for the exchange alone; its
// timers run beside that.
type deadlines struct {
	process  *Process
	id       string // of the call
	timeouts Timeouts
	began    time.Time
	cpu      time.Duration // used by the process when the call began
	async    *alarm        // of the process; nil while it is not set
	idle     *time.Timer   // of an answer in pieces, as total; nil before its head
	total    *time.Timer   // nil without such a limit
	missed   bool          // one of these had run out when it was to be stopped
	unwatch  func() bool
	late     atomic.Bool // the call is answered
	mu       sync.Mutex  // guards the fields below
	sync     *alarm      // of the process
	returned bool
	// From when on what the call uses counts as main's: from its start, from when its answer was last seen being written,
	// or from when it was first seen written. At that time the process had used counted of CPU time.
	since   time.Time
	counted time.Duration
	loads   time.Duration // of that, what is for loading the function
	written bool          // that was seen
}

// start begins to watch the call of that ID, which starts now, at so much CPU time of the process, and has so much to
// load its function. Stop must be called at its end.
func (d *deadlines) start(p *Process, timeouts Timeouts, id string, clock, loads time.Duration) {
	d.process, d.timeouts, d.id, d.began, d.cpu = p, timeouts.or(p.cfg.Timeouts), id, time.Now(), clock
	d.setAsync(d.began)
	d.mu.Lock() // checkSync may run before its alarm is known
	defer d.mu.Unlock()
	d.since, d.counted, d.loads = d.began, d.cpu, loads
	d.sync = &p.sync
	d.sync.set(d, d.began, d.timeouts.Sync+loads, (*deadlines).checkSync)
	d.unwatch = spared
}

// spared is what unwatch is without a context.
func spared() bool { return true }

// setAsync has the process killed when the time of the call is over, from now on.
func (d *deadlines) setAsync(now time.Time) {
	d.async = &d.process.async
	d.async.set(d, now, d.timeouts.Async, (*deadlines).asyncOver)
}

// asyncOver kills the process for its call, or for what that does after its answer.
func (d *deadlines) asyncOver(end time.Time) {
	if d.late.Load() {
		d.process.killAt(AfterAnswer, end)
		return
	}
	d.process.killAt(Deadline, end)
}

// killAfter kills the process for reason in so much time, or because of what it does after its answer.
func (d *deadlines) killAfter(timeout time.Duration, reason Reason) *time.Timer {
	end := time.Now().Add(timeout)
	return time.AfterFunc(timeout, func() {
		if d.late.Load() {
			d.process.killAt(AfterAnswer, end)
			return
		}
		d.process.killAt(reason, end)
	})
}

// halt stops a timer, if there is one, and notes when that is too late.
func (d *deadlines) halt(timer *time.Timer) {
	if timer != nil && !timer.Stop() {
		d.missed = true
	}
}

// haltAsync is halt for the time of the call.
func (d *deadlines) haltAsync() {
	if d.async != nil && !d.async.stop() {
		d.missed = true
	}
	d.async = nil
}

// streaming notes that an answer has begun that comes in pieces.
func (d *deadlines) streaming() {
	d.haltAsync()
	if d.timeouts.Total > 0 {
		d.total = d.killAfter(d.timeouts.Total, StreamLimit)
	}
}

// reading notes whether the caller waits for the next piece of it.
func (d *deadlines) reading(on bool) {
	if on {
		d.idle = d.killAfter(d.timeouts.Idle, StreamIdle)
		return
	}
	d.halt(d.idle)
	d.idle = nil
}

// answered notes that the call is answered and that its work goes on: within the same time, but whatever becomes of its
// caller. It says whether the process is spared so far.
func (d *deadlines) answered() bool {
	d.mainReturned()
	d.late.Store(true)
	if d.idle != nil { // the end of an answer in pieces: its work gets the time of a call anew
		d.reading(false)
		d.setAsync(time.Now())
	}
	wanted := d.unwatch()
	d.unwatch = func() bool { return wanted }
	return wanted && !d.process.killed()
}

// watchContext also kills the process when ctx ends, as when any that was given before does.
func (d *deadlines) watchContext(ctx context.Context) {
	if ctx.Done() == nil {
		return
	}
	before, stop := d.unwatch, context.AfterFunc(ctx, func() { d.process.Kill(Canceled) })
	d.unwatch = func() bool {
		stopped := stop()
		return before() && stopped
	}
}

// checkSync kills the process when it has burnt its CPU time, or looks again when it could have. The time in which the
// answer is written is not main's; but code of the function may go on after that, so the watch begins anew then.
func (d *deadlines) checkSync(time.Time) {
	left, phase := d.syncLeft(), running
	if left <= 0 {
		phase = d.phase() // which reads a file: not under the lock
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.returned:
	case phase == writing, phase == written && !d.written:
		d.written = phase == written
		d.since, d.counted, d.loads = time.Now(), cpuTime(d.process.handle.pid()), 0
		d.sync.set(d, d.since, d.timeouts.Sync, (*deadlines).checkSync)
	case left <= 0:
		d.process.killAt(SyncDeadline, time.Now().Add(left))
	default:
		d.sync.set(d, time.Now(), max(left, time.Millisecond), (*deadlines).checkSync)
	}
}

// syncLeft is how much longer main may take at least.
func (d *deadlines) syncLeft() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	limit := d.timeouts.Sync + d.loads
	cpuLeft := limit - (cpuTime(d.process.handle.pid()) - d.counted)
	return min(cpuLeft, time.Until(d.since.Add(wallFactor*limit)))
}

// phase is how far the code of a call is.
type phase int

const (
	running phase = iota
	writing       // its answer is being written as JSON
	written       // that is over, and code of the call may go on; how much of the CPU time it took is not known
)

// phase is shown by the runner, as the call's ID, which no code of the function can guess. A large answer takes long to
// write, and that time is not main's.
func (d *deadlines) phase() phase {
	shown := processArguments(d.process.handle.pid())
	switch {
	case slices.Contains(shown, `"`+d.id+`"`):
		return writing
	case slices.Contains(shown, `"`+d.id+`".`):
		return written
	}
	return running
}

// mainReturned ends the watch for the sync deadline.
func (d *deadlines) mainReturned() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.returned = true
	d.sync.stop()
}

// stop ends the watch. It says whether the process is spared: else it has been killed, or is about to be.
func (d *deadlines) stop() bool {
	d.mainReturned()
	wanted := d.unwatch()
	d.haltAsync()
	d.halt(d.idle)
	d.halt(d.total)
	return !d.missed && wanted && !d.process.killed()
}
