package worker

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// session is what is said over the pipes of a process. One exchange at a time has it: it holds mu from the first byte
// of its call until it ends, with the answer or with the work after it. Nothing but an exchange, and the handshake
// before the first, touches the fields.
type session struct {
	mu     sync.Mutex // guards the fields below
	frames *wire.Reader
	buffer []byte        // for the frames to send; reused
	load   []byte        // the load frame, where it is sent by itself
	loads  time.Duration // for loading the function, which the first run may take as well
	// Of calls that were sent together: the IDs of those that have not been served yet, what is closed when none of them
	// will be any more, and the CPU time of the process when the last one ended.
	ids     []string
	settled chan struct{}
	clock   time.Duration
}

// exchange is the call in progress. The one that has one has the session.
type exchange struct {
	*session
	process *Process
	call    *Call
	id      string
	sent    int // bytes that were written for it and all behind it; 0 for those behind
	watch   deadlines
	known   bool // egress knows of it
	stream  *stream
	// prepared is the CPU time of what the process has done for it before its snapshot.
	prepared time.Duration
}

// keepBuffer is the largest buffer that is kept for the next call.
const keepBuffer = 256 << 10

// Serve has the process serve the call and returns its outcome: an Answer, ErrTooLarge, ErrStream or a *Death; or the
// error of the writer, if that does not take an answer that comes in pieces. Without an answer, and when that is not
// Reusable, calls that were sent with this one have not begun. When ctx ends the process is killed. After any error but
// ErrTooLarge, or when Reusable is not set, the process must not be used again.
func (p *Process) Serve(ctx context.Context, call *Call) (answer Answer, err error) {
	p.session.mu.Lock()
	defer func() {
		if answer.Late == nil && answer.Rollback == nil { // which end the exchange themselves
			p.session.mu.Unlock()
		}
	}()
	e := &exchange{session: &p.session, process: p, call: call}
	if !call.Sent {
		if !e.fillBuffer() {
			return Answer{Reusable: call.Load == nil}, ErrTooLarge
		}
		if death := p.bind(call); death != nil {
			return Answer{}, death
		}
		if thrown, death := e.loadTracked(ctx); death != nil || thrown != nil {
			return e.endedBefore(thrown, death)
		}
		clock := p.CPUUsed()
		if p.idleCPUAt(clock) > IdleAllowance {
			return Answer{}, p.endIdleActivity()
		}
		e.begin(clock)
	}
	e.next(ctx)
	defer func() {
		if answer.Late != nil {
			answer.CPU = e.cpuUsed()
			return
		}
		if spared := e.stop(&answer); !spared && len(e.ids) == 0 {
			answer.Reusable = false // what was meant for this call must not hit the next one
		}
		if !answer.Reusable {
			e.dropBatch(false)
		}
		e.end()
		if answer.Reusable && p.tracked != nil {
			answer.Rollback = &Rollback{e}
		}
	}()
	missed, err := e.send()
	if err != nil {
		return Answer{}, err
	}
	answer, err = e.readAnswer(ctx)
	answer.Missed = missed
	return answer, err
}

// fillBuffer writes the frames of the call and of those that are sent with it into the buffer and says whether each
// keeps to the limit.
func (e *exchange) fillBuffer() bool {
	call, limit := e.call, e.process.cfg.Limits.Frame+len("\n")
	e.buffer, e.ids, e.load = e.buffer[:0], e.ids[:0], nil
	if load := call.Load; load != nil {
		e.buffer = wire.AppendLoad(e.buffer, load)
		if len(e.buffer) > limit {
			slim := *load
			slim.Cache = nil
			e.buffer = wire.AppendLoad(e.buffer[:0], &slim)
		}
	}
	load := len(e.buffer)
	if e.process.tracked != nil { // which is sent it by itself
		e.load, e.buffer = slices.Clone(e.buffer), append(e.buffer[:0], '\n')
		load = len(e.buffer)
	}
	e.appendInvoke(&call.Invoke, len(call.With))
	fits := max(load, len(e.load)) <= limit && len(e.buffer)-load <= limit
	for i, other := range call.With {
		e.appendInvoke(other, len(call.With)-1-i)
	}
	return fits
}

func (e *exchange) appendInvoke(invoke *wire.Invoke, behind int) {
	// Nobody can guess the ID, so code of one function can write no answer to a call that it has not been sent.
	invoke.ID = strconv.FormatUint(rand.Uint64(), 36) // ChaCha8 with a seed of the kernel's
	invoke.Behind = behind
	e.ids = append(e.ids, invoke.ID)
	e.buffer = wire.AppendInvoke(e.buffer, invoke)
}

// begin notes that calls are in progress, at so much CPU time of the process.
func (e *exchange) begin(clock time.Duration) {
	p := e.process
	batched := len(e.call.With) > 0
	p.startCalls(batched)
	e.clock = clock
	p.idleClock.Store(0)
	if batched {
		e.settled = make(chan struct{})
		p.cfg.Egress.Watcher.CallsQueued(p.handle.pid(), e.settled)
	}
}

// next begins the next of the calls that were sent, which is this one.
func (e *exchange) next(ctx context.Context) {
	e.id = e.ids[0]
	if load := e.call.Load; load != nil && e.process.tracked == nil { // which loads before its calls
		e.loads = loadTime(len(load.Code))
	}
	loads := e.loads
	if cmp.Or(e.call.Kind, wire.Run) == wire.Run { // a check has loaded it in another form
		e.loads = 0
	}
	e.watch.start(e.process, e.call.Timeouts, e.id, e.clock, loads)
	e.ids = e.ids[1:]
	if e.call.Kind == wire.Compile {
		e.watch.mainReturned()
	}
	if len(e.ids) == 0 {
		e.alone(ctx)
	}
}

// alone notes that no call is behind this one, or none will be served. Only now may ctx cancel it: before, others would
// be hit.
func (e *exchange) alone(ctx context.Context) {
	e.dropBatch(true)
	if !e.call.Detached {
		e.watch.watchContext(ctx)
	}
}

// dropBatch ends the wait for the calls behind this one. Egress is told of this one, if it goes on.
func (e *exchange) dropBatch(goesOn bool) {
	e.ids = e.ids[:0]
	p := e.process
	if goesOn && !e.call.Offline {
		e.known = true
		p.cfg.Egress.Watcher.CallStarted(p.handle.pid(), e.call.Events)
	}
	if e.settled == nil {
		return
	}
	p.endBatch()
	if !goesOn {
		p.cfg.Egress.Watcher.CallEnded(p.handle.pid())
	}
	close(e.settled)
	e.settled = nil
}

// send writes what is in the buffer, unless that was done with an earlier call, and waits awake for the answer where
// that is worth it.
func (e *exchange) send() (missed bool, err error) {
	if e.call.Sent {
		return false, nil
	}
	if err = e.process.forgetTimes(); err == nil {
		e.sent, err = e.process.write(e.buffer)
	}
	if err != nil {
		return false, e.failedUnanswered(fmt.Errorf("write: %w", err))
	}
	if cap(e.buffer) > keepBuffer {
		e.buffer = nil
	}
	return e.call.BusyWait && !e.awaitAnswer(), nil
}

// cpuUsed reads the process's clock: it is the CPU time that the call has used so far, with what ran for it before the
// snapshot.
func (e *exchange) cpuUsed() (used time.Duration) {
	used, e.clock = e.process.cpuSince(e.watch.cpu)
	return used + e.prepared
}

// mainReturned notes that the answer is to come. The process serves none of the calls behind this one.
func (e *exchange) mainReturned(ctx context.Context) {
	e.watch.mainReturned()
	if len(e.ids) > 0 {
		e.alone(ctx)
	}
	if e.call.Progress != nil {
		e.call.Progress.MainReturned()
	}
}

// stop ends the watch over the call, tells what it has used, and says whether its process was spared.
func (e *exchange) stop(answer *Answer) bool {
	spared := e.watch.stop()
	answer.CPU = e.cpuUsed()
	if e.known {
		e.process.cfg.Egress.Watcher.CallEnded(e.process.handle.pid())
	}
	return spared
}

// end is begin's opposite, after the last call.
func (e *exchange) end() {
	if len(e.ids) > 0 {
		return
	}
	e.process.idleClock.Store(int64(e.clock))
	e.process.endCalls()
}
