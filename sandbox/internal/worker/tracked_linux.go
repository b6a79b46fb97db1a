package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/backstage/functions/sandbox/internal/rollback"
)

// How a worker that is rolled back serves calls:
//
//	pool      ├ call ┤ answer to the caller         ├ next call
//	process   ├──────┤······ parks ··· rolls back ··┤ released
//	                 └─ Rollback.Wait ──────────────┘ whether it may be used again
//
// The rollback is behind the answer: the caller does not wait for it, the next call does.

// parkTimeout is how long a worker may take from its answer to its stub, where it has nothing to do but to return. It
// counts by the wall clock, for a machine without a processor to spare.
const parkTimeout = 10 * time.Second

// tracked is what the host has of a process that is rolled back.
type tracked struct {
	handover *rollback.Handover // nil once it is taken
	store    *rollback.Store
	stderr   *os.File
	worker   *rollback.Worker // nil until the process has handed over what it takes
	since    int              // rollbacks since one was audited

	closing sync.Mutex // held while the worker is used, and while it is closed
	closed  bool
}

var errDead = &rollback.RetireError{Cause: rollback.NoPark, Detail: "the process is dead"}

// handover makes what a worker gets that is to be rolled back; nil for others.
func (s *Starter) handover() (*rollback.Handover, error) {
	if !s.cfg.Rollback {
		return nil, nil //nolint:nilnil // others get none
	}
	return rollback.NewHandover()
}

// checkRollback says why workers cannot be rolled back, if they are to be.
func (s *Starter) checkRollback() error {
	if !s.cfg.Rollback {
		return nil
	}
	if !s.forks {
		return fmt.Errorf("sandbox: %w: there is no fork server; run make setup", rollback.ErrUnsupported)
	}
	if err := rollback.Probe(); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

// track notes that the process is rolled back, unless handover is nil.
func (p *Process) track(handover *rollback.Handover, stderr *os.File, store *rollback.Store) {
	if handover != nil {
		p.tracked = &tracked{handover: handover, store: store, stderr: stderr}
	}
}

// takeOver waits for what the process hands over before it is ready.
func (p *Process) takeOver(ctx context.Context) error {
	t := p.tracked
	if t == nil {
		return nil
	}
	t.closing.Lock()
	defer t.closing.Unlock()
	handover := t.handover
	t.handover = nil
	if t.closed {
		return errDead
	}
	if err := handover.Sent(); err != nil {
		return errors.Join(err, handover.Close())
	}
	w, err := handover.Take(ctx, p.handle.pid(), t.store) // which the end of the process ends, too
	t.worker = w
	return err
}

// untrack gives up what the host has of a process that has been reaped.
func (p *Process) untrack() {
	t := p.tracked
	if t == nil {
		return
	}
	t.closing.Lock()
	defer t.closing.Unlock()
	t.closed = true
	_ = t.handover.Close() // only memory is lost if that fails
	if t.worker != nil {
		_ = t.worker.Close()
	}
}

// use does steps with the worker, unless the process is dead.
func (t *tracked) use(steps ...func(w *rollback.Worker) error) error {
	t.closing.Lock()
	defer t.closing.Unlock()
	if t.closed {
		return errDead
	}
	for _, step := range steps {
		if err := step(t.worker); err != nil {
			return err
		}
	}
	return nil
}

// load has the process read and compile its function, and run nothing of it.
func (p *Process) load(ctx context.Context, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.StartTimeout)
	defer cancel()
	park := func(w *rollback.Worker) error { return w.AwaitPark(ctx) }
	write := func(*rollback.Worker) error { _, err := p.stdin.Write(frame); return err }
	return p.tracked.use(park, (*rollback.Worker).Release, write, park)
}

// snapshot takes the snapshot. What the process has of the function from then on is what each call finds.
func (p *Process) snapshot(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.StartTimeout)
	defer cancel()
	take := func(w *rollback.Worker) error { return w.Snapshot(ctx) }
	return p.tracked.use(take, (*rollback.Worker).Release)
}

// unpark lets the process, which is parked, go on.
func (p *Process) unpark() error { return p.tracked.use((*rollback.Worker).Release) }

// awaitPark waits until the process is parked.
func (p *Process) awaitPark(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, parkTimeout)
	defer cancel()
	return p.tracked.use(func(w *rollback.Worker) error { return w.AwaitPark(ctx) })
}

// Rollback is what is left to do after an answer of a process that is rolled back.
type Rollback struct{ exchange *exchange }

// Wait puts the process back and says whether it may be used again. It must be called once, from any goroutine.
func (r *Rollback) Wait() (reusable bool) {
	defer r.exchange.mu.Unlock()
	return r.exchange.rollBack()
}

// rollBack puts the process back, or kills it.
func (e *exchange) rollBack() bool {
	p := e.process
	audited, err := p.putBack(e)
	outcome := RollbackOutcome{Audited: audited}
	if err != nil {
		outcome.Cause, outcome.Detail = rollback.Kernel, err.Error()
		if retired, ok := errors.AsType[*rollback.RetireError](err); ok {
			outcome.Cause, outcome.Detail = retired.Cause, retired.Detail
		}
		// Of a process that is being killed memory, mappings and descriptors are on their way out. What its call has
		// asked the kernel for is known all the same.
		outcome.Killed = outcome.Cause != rollback.Call && p.killed()
		p.Kill(Retired)
	}
	if e.call.RolledBack != nil {
		e.call.RolledBack(outcome)
	}
	return err == nil
}

func (p *Process) putBack(e *exchange) (audited bool, err error) {
	t := p.tracked
	t.closing.Lock()
	defer t.closing.Unlock()
	if t.closed {
		return false, errDead
	}
	ctx, cancel := context.WithTimeout(context.Background(), parkTimeout)
	defer cancel()
	w := t.worker
	if err := w.AwaitPark(ctx); err != nil {
		return false, err
	}
	if e.frames.Buffered() > 0 || unread(p.stdin) != 0 || unread(p.stdout) != 0 || unread(t.stderr) != 0 {
		return false, &rollback.RetireError{Cause: rollback.Files, Detail: "something is left in a pipe"}
	}
	if err := w.Rollback(ctx); err != nil {
		return false, err
	}
	if err := w.Release(); err != nil {
		return false, err
	}
	if t.since++; p.cfg.RollbackAudit > 0 && t.since >= p.cfg.RollbackAudit {
		t.since = 0
		return true, w.Compare(ctx)
	}
	return false, nil
}
