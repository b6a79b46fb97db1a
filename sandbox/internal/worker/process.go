package worker

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// Process is a worker's operating-system process and the protocol spoken with it. It is safe for concurrent use: calls
// of Serve wait for each other, everything else may be called at any time.
type Process struct {
	cfg    *Config
	handle handle
	stdin  *os.File // our ends of the pipes
	stdout *os.File
	// missing is what it said of modules when it was ready, a line each.
	missing string
	// setWeight is nil without limits. It is set before the process is ready.
	setWeight func(weight int)
	giveWay   func(behind bool) // the same for GiveWay
	// setLimits is the same for limits of a function.
	setLimits func(memory int64, cpu float64) error
	// used is what memory its group uses; nil without limits. It is set before the process is ready.
	used func() (int64, error)

	session   session
	tracked   *tracked // nil for one that is not rolled back
	async     alarm    // of the call in progress, as sync
	sync      alarm
	idleClock atomic.Int64  // its CPU time when the last call ended; 0 before the first one, and during calls
	reaped    chan struct{} // closed when it has been, and nothing is left of it
	lastClock time.Duration // all the CPU time that it has used
	clocked   chan struct{} // closed as soon as it is known

	mu       sync.Mutex // guards the fields below
	reason   Reason     // why we killed it; empty when we did not
	deadline time.Time  // the deadline it was killed at
	death    *Death
	unread   int    // bytes left in the pipe to its stdin when it was dead; -1 when that is not known
	calling  bool   // a call is in progress
	batched  bool   // others were sent with it: what they were answered is to be read, whatever happens
	release  func() // closes our ends of the pipes of a process that died during that call
}

// handle is an operating-system process. Its methods are safe for concurrent use.
type handle interface {
	pid() int
	kill()
	// wait returns when the process has been reaped; it is called once.
	wait() (syscall.WaitStatus, resources)
}

// resources are what a process has used in its life.
type resources struct {
	peak int64 // the most memory that was resident, in bytes; 0 when that is not known
	cpu  time.Duration
}

func newProcess(cfg *Config, handle handle, stdin, stdout *os.File) *Process {
	return &Process{
		cfg: cfg, handle: handle, stdin: stdin, stdout: stdout, reaped: make(chan struct{}), clocked: make(chan struct{}),
		session: session{frames: wire.NewReader(stdout, cfg.Limits.wire())},
	}
}

// Exited is closed when the process has been reaped.
func (p *Process) Exited() <-chan struct{} { return p.reaped }

// CPUUsed is the processor time that the process has used in its life; 0 when it is dead.
func (p *Process) CPUUsed() time.Duration { return cpuTime(p.handle.pid()) }

// clockTimeout bounds how long an answer waits for the account of a process that has died since.
const clockTimeout = 5 * time.Second

// cpuSince is the CPU time that the process has used since its clock said so, and what the clock says now. One that is
// dead has no clock: how it ended tells. Nothing is known when it was dead before, which then is 0, or when nobody
// tells how it ended.
func (p *Process) cpuSince(then time.Duration) (used, now time.Duration) {
	if now = p.CPUUsed(); now == 0 && then > 0 {
		select {
		case <-p.clocked:
			return max(p.lastClock-then, 0), 0
		case <-time.After(clockTimeout):
			return 0, 0
		}
	}
	return max(now-then, 0), now
}

// Asleep says whether it waits for something other than a processor.
func (p *Process) Asleep() bool { return asleep(p.handle.pid()) }

// MemoryUsed is what memory it uses, in bytes; 0 when that is not known.
func (p *Process) MemoryUsed() int64 {
	if p.used == nil {
		return 0
	}
	used, err := p.used()
	if err != nil {
		return 0
	}
	return used
}

// SetWeight makes the process count as weight beside others where processors are scarce, cgroup.WholeWeight being that
// of one by itself. It has no effect on one that is dead.
func (p *Process) SetWeight(weight int) {
	if p.setWeight != nil {
		p.setWeight(weight)
	}
}

// GiveWay makes the process count for a hundredth of its weight, or less, beside others of this program, or for all of
// it again. It has no effect without cgroups, and on a process that is dead.
func (p *Process) GiveWay(behind bool) {
	if p.giveWay != nil {
		p.giveWay(behind)
	}
}

// bind gives the process the limits of the function that it is about to be bound to. One that uses more memory already
// is ended, as it would be later.
func (p *Process) bind(call *Call) *Death {
	if call.Load == nil || call.Memory == 0 && call.CPU == 0 || p.setLimits == nil {
		return nil
	}
	err := p.setLimits(call.Memory, call.CPU)
	if err == nil {
		return nil
	}
	p.Kill(Memory)
	death := p.waitExit()
	death.Detail = "limits of the function: " + err.Error()
	return death
}

// Kill ends the process for reason; the first reason counts.
func (p *Process) Kill(reason Reason) { p.killAt(reason, time.Time{}) }

// killAt kills the process for reason, because of a deadline when that is not zero.
func (p *Process) killAt(reason Reason, deadline time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reason != "" || p.death != nil {
		return
	}
	p.reason, p.deadline = reason, deadline
	p.handle.kill()
	if !deadline.IsZero() && !p.batched {
		// The kernel runs no more of its code from here on: its caller need not wait until it has been taken down.
		_ = p.stdin.SetWriteDeadline(deadline)
		_ = p.stdout.SetReadDeadline(deadline)
	}
}

// killed says whether we have killed the process.
func (p *Process) killed() bool { return p.killedFor() != "" }

// killedFor is the reason for which we have killed it; empty when we have not.
func (p *Process) killedFor() Reason {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reason
}

// waitExit waits for the end of the process and says how it came.
func (p *Process) waitExit() *Death {
	<-p.reaped
	p.mu.Lock()
	defer p.mu.Unlock()
	death := *p.death
	return &death
}

// startCalls notes that a call is in progress, or several that were sent together.
func (p *Process) startCalls(batched bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calling, p.batched = true, batched
}

// endCalls notes that the last of them has ended, and closes the pipes if the process has died since.
func (p *Process) endCalls() {
	p.mu.Lock()
	p.calling = false
	release := p.release
	p.mu.Unlock()
	if release != nil {
		release()
	}
}

// endBatch notes that no call is behind the one in progress any more.
func (p *Process) endBatch() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.batched = false
}

// drainTimeout is how long the pipes of a dead process stay open at most for the call that reads them.
const drainTimeout = 5 * time.Second

// releasePipes closes our ends of the pipes of a dead process: at once, or when the call in progress has read what
// there is. A worker that is not to be used again ends right after it has written its answer, and may be reaped before
// that has been read. Then the call comes to the end of the stream by itself, unless something else still holds the
// pipe.
func (p *Process) releasePipes(closePipes func()) {
	closePipes = sync.OnceFunc(closePipes)
	p.mu.Lock()
	calling, batched := p.calling, p.batched
	if calling {
		p.release = closePipes
	}
	p.mu.Unlock()
	switch {
	case !calling:
		closePipes()
	case !batched:
		time.AfterFunc(drainTimeout, closePipes)
	}
}

// handshake sends the new process what it must read first and waits until it is ready.
func (p *Process) handshake(ctx context.Context, first []byte) error {
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { p.Kill(Canceled) })
	defer stop()
	_, err := p.stdin.Write(first)
	if err == nil {
		err = p.takeOver(ctx)
	}
	if err == nil || isBrokenPipe(err) { // a broken pipe's cause is to be read on the other one
		var frame *wire.Frame
		if frame, err = p.session.frames.Next(""); err == nil {
			p.missing = frame.Missing
		}
	}
	if err == nil {
		return nil
	}
	death := p.failed(err)
	if ctx.Err() != nil {
		return fmt.Errorf("not ready in time: %w", context.Cause(ctx))
	}
	return death
}
