package sandbox

import (
	"context"
	"errors"
	"fmt"
)

// Runtimes come and go while the pool runs:
//
//	Add ──▶ starts its first worker ──▶ calls can ask for it; one of the same name is let go of
//	Remove ─────────────────────────▶ calls that ask for it, and those that wait, get a *RuntimeError
//	                                   or, where it was replaced, go on with what has taken its place
//	let go of ──▶ calls that run finish, work after answers too ──▶ its processes are reaped

// ErrFirstRuntime means that the runtime is that of calls which ask for none, so that it cannot be removed.
var ErrFirstRuntime = errors.New("sandbox: the first runtime cannot be removed")

// Add starts a runtime beside the others, or in place of one of the same name, and returns when its first worker is
// ready; from then on calls can ask for it. Calls that run on what it replaces finish there. There may be one worker
// more than Size while all others are busy. Modules that it cannot load are in its Snapshot. After an error everything
// is as before.
func (p *Pool) Add(ctx context.Context, rt Runtime) error {
	if faults := checkRuntimes([]Runtime{rt}); faults != nil {
		return errors.Join(faults...)
	}
	if err := p.beginChange(); err != nil {
		return err
	}
	defer p.endChange()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.life, cancel)()
	rt, err := p.cfg.resolvedRuntime(ctx, rt)
	if err != nil {
		return err
	}
	return p.start(ctx, rt)
}

// Remove takes away the runtime of that name, and returns at once: its calls that run finish, and Close waits for them.
// Its errors are *RuntimeError where there is none, ErrFirstRuntime and ErrClosed.
func (p *Pool) Remove(name string) error {
	if err := p.beginChange(); err != nil {
		return err
	}
	defer p.endChange()
	now := p.current.Load()
	part, ok := now.parts[name]
	switch {
	case !ok:
		return &RuntimeError{Name: name, Known: now.names()}
	case now.runtimes[0].Name == name:
		return fmt.Errorf("%w: %s", ErrFirstRuntime, name)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	p.current.Store(now.without(name))
	p.letGoLocked(part)
	return nil
}

// beginChange waits until no other change is in progress. It fails when the pool closes.
func (p *Pool) beginChange() error {
	p.changing.Lock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		p.changing.Unlock()
		return ErrClosed
	}
	p.changes.Add(1)
	return nil
}

func (p *Pool) endChange() {
	p.changing.Unlock()
	p.changes.Done()
}

// letGoLocked ends part, which takes no calls any more, in the background. A change must be in progress.
func (p *Pool) letGoLocked(part *runtimePool) {
	p.extra.drop(p.patience, part)
	p.changes.Go(func() {
		if err := part.Shutdown(p.patience); err != nil {
			p.mu.Lock()
			p.left = append(p.left, err)
			p.mu.Unlock()
		}
	})
}
