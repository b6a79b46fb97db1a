package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// process is a worker's operating-system process and the protocol spoken with it. One goroutine at a time may call invoke; kill and dead
// are safe from any.
type process struct {
	cfg    *Config
	handle handle
	stdin  *os.File // our ends of the pipes
	stdout *os.File
	frames *wire.Reader
	// missing is what it said of modules in its greeting, a line each.
	missing string
	// setWeight is nil without limits. It is set before the process is ready.
	setWeight func(weight int)
	// used is what memory its group uses; nil without limits. It is set before the process is ready.
	used func() (int64, error)

	buffer []byte // for the frames to send; reused
	// Of calls that were sent together, for whoever has the turn: the IDs of those that have not had theirs, what is closed when none of them
	// will come any more, and what the process's clock said when the last one ended.
	ids     []string
	settled chan struct{}
	clock   time.Duration
	rest    atomic.Int64 // what it said when the last call ended; 0 before the first one and while calls are in progress
	reaped  chan struct{}

	mu       sync.Mutex // guards the fields below
	reason   Reason     // why we killed it; empty when we did not
	deadline time.Time  // the deadline it was killed at
	death    *DeathError
	unread   int    // bytes left in the pipe to its stdin when it was dead; -1 when that is not known
	calling  bool   // a call is in progress
	together bool   // others are sent behind it: what they were answered is to be read, whatever happens
	release  func() // closes our ends of the pipes of a process that died during that call
}

// handle is an operating-system process. Its methods are safe for concurrent use.
type handle interface {
	pid() int
	kill()
	// wait returns when the process has been reaped; it is called once. Peak is the most memory that was resident, in bytes; 0 when that is
	// not known.
	wait() (status syscall.WaitStatus, peak int64)
}

func (p *process) dead() <-chan struct{} { return p.reaped }

// cpuUsed implements weigher.
func (p *process) cpuUsed() time.Duration { return cpuTime(p.handle.pid()) }

// asleep implements sleeper.
func (p *process) asleep() bool { return asleep(p.handle.pid()) }

// memoryUsed implements memoryUser.
func (p *process) memoryUsed() int64 {
	if p.used == nil {
		return 0
	}
	used, err := p.used()
	if err != nil {
		return 0
	}
	return used
}

// weigh implements weigher.
func (p *process) weigh(weight int) {
	if p.setWeight != nil {
		p.setWeight(weight)
	}
}

// kill implements child.
func (p *process) kill(reason Reason) { p.killAt(reason, time.Time{}) }

// killAt kills the process for reason, because of a deadline when that is not zero.
func (p *process) killAt(reason Reason, deadline time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reason != "" || p.death != nil {
		return
	}
	p.reason, p.deadline = reason, deadline
	p.handle.kill()
	if !deadline.IsZero() && !p.together {
		// The kernel runs no more of its code from here on: its caller need not wait until it has been taken down.
		_ = p.stdin.SetWriteDeadline(deadline)
		_ = p.stdout.SetReadDeadline(deadline)
	}
}

// killed says whether we have killed the process.
func (p *process) killed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reason != ""
}

// killedAtDeadline returns the outcome of a call whose deadline has passed.
func (p *process) killedAtDeadline() *DeathError {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &DeathError{Reason: p.reason, Lag: time.Since(p.deadline)}
}

// obituary waits for the end of the process and says how it came.
func (p *process) obituary() *DeathError {
	<-p.reaped
	p.mu.Lock()
	defer p.mu.Unlock()
	death := *p.death
	return &death
}

// invoke implements child.
func (p *process) invoke(ctx context.Context, t *turn) (result *Result, reusable bool, err error) {
	if !t.sent {
		if !p.fillBuffer(t) {
			return nil, !t.first, ErrTooLarge
		}
		clock := cpuTime(p.handle.pid())
		if p.idleCPUAt(clock) > idleAllowance {
			return nil, false, p.stirred()
		}
		p.begin(t, clock)
	}
	call := p.nextCall(ctx, t)
	defer func() {
		if t.late != nil { // which ends the call
			if stats := statsOf(result, err); stats != nil {
				stats.CPU = call.watch.cpuUsed()
			}
			return
		}
		if spared := call.end(statsOf(result, err)); !spared && len(p.ids) == 0 {
			reusable = false // what was meant for this call must not hit the next one
		}
		if !reusable {
			p.forget(nil)
		}
		p.end()
	}()
	if t.sent {
		return p.readAnswer(ctx, call)
	}
	if call.sent, err = p.stdin.Write(p.buffer); err != nil {
		return p.unheard(call, fmt.Errorf("write: %w", err))
	}
	if cap(p.buffer) > keepBuffer {
		p.buffer = nil
	}
	if t.soon {
		t.missed = !p.awaitAnswer()
	}
	return p.readAnswer(ctx, call)
}

// begin notes that calls are in progress.
func (p *process) begin(t *turn, clock time.Duration) {
	p.mu.Lock()
	p.calling, p.together = true, len(t.behind) > 0
	p.mu.Unlock()
	p.clock = clock
	p.rest.Store(0)
	if len(t.behind) > 0 {
		p.settled = make(chan struct{})
		p.cfg.Egress.watcher().CallsQueued(p.handle.pid(), p.settled)
	}
}

// end ends begin after the last call, and closes the pipes if the process has died since.
func (p *process) end() {
	if len(p.ids) > 0 {
		return
	}
	p.rest.Store(int64(p.clock))
	p.mu.Lock()
	p.calling = false
	release := p.release
	p.mu.Unlock()
	if release != nil {
		release()
	}
}

// drainTimeout is how long the pipes of a dead process stay open at most for the call that reads them.
const drainTimeout = 5 * time.Second

// releasePipes closes our ends of the pipes of a dead process: at once, or when the call in progress has read what there is. A worker
// that is not to be used again ends right after it has written its answer, and may be reaped before that has been read. Then the call
// comes to the end of the stream by itself, unless something else still holds the pipe.
func (p *process) releasePipes(closePipes func()) {
	closePipes = sync.OnceFunc(closePipes)
	p.mu.Lock()
	calling, together := p.calling, p.together
	if calling {
		p.release = closePipes
	}
	p.mu.Unlock()
	switch {
	case !calling:
		closePipes()
	case !together:
		time.AfterFunc(drainTimeout, closePipes)
	}
}

// tail keeps the end of what a process writes to stderr. It is safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if over := len(t.text) - tailSize; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}

func closeAll(files ...*os.File) error {
	var errs []error
	for _, file := range files {
		if file != nil {
			errs = append(errs, file.Close())
		}
	}
	return errors.Join(errs...)
}
