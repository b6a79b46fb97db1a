package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox/internal/rollback"
)

// tracked is what the host has of a process that is rolled back.
type tracked struct {
	handover *rollback.Handover // nil once it is taken
	store    *rollback.Store
	stderr   *os.File
	worker   *rollback.Worker // nil until the process has handed over what it takes
	audit    int              // rollbacks up to the next one that is audited, that one included; 0 for none
	parked   bool             // it waits in its stub, put back, to be released; whoever has the session may touch it

	closing sync.Mutex // held while the worker is used, and while it is closed
	closed  bool
}

// SnapshotPages is how many pages of memory the snapshots of all workers hold. What they have in common counts once.
func (s *Starter) SnapshotPages() int { return s.pages.Pages() }

var errDead = &rollback.RetireError{Cause: rollback.NoPark, Detail: "the process is dead"}

// handover makes what a worker gets that is to be rolled back; nil for others.
func (s *Starter) handover() (*rollback.Handover, error) {
	if !s.cfg.Rollback {
		return nil, nil //nolint:nilnil // others get none
	}
	return rollback.NewHandover()
}

// mayTrace says whether the host may read and write memory of workers. They are not dumpable, so it takes a capability
// in their user namespace: the server owns that of a jail, and has every one in there.
func (s *Starter) mayTrace() bool {
	if s.jailer != nil {
		return true
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	return unix.Capget(&header, &sets[0]) == nil && sets[0].Effective&(1<<unix.CAP_SYS_PTRACE) != 0
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
		p.tracked = &tracked{handover: handover, store: store, stderr: stderr, audit: untilAudit(p.cfg.RollbackAudit)}
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

// snapshot takes the snapshot. What the process has of the function from then on is what each call finds. It stays
// parked for the first of them.
func (p *Process) snapshot() error {
	if err := p.tracked.use((*rollback.Worker).Snapshot); err != nil {
		return err
	}
	p.tracked.parked = true
	return nil
}

// unpark lets the process, which is parked, go on.
func (p *Process) unpark() error { return p.tracked.use((*rollback.Worker).Release) }

// awaitPark waits until the process is parked.
func (p *Process) awaitPark(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, parkTimeout)
	defer cancel()
	return p.tracked.use(func(w *rollback.Worker) error { return w.AwaitPark(ctx) })
}
