package worker

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// Start starts a worker and returns when it is ready for a call. The first one is inspected: a layer of isolation that
// is missing although its steps succeeded is ErrUnsupported.
func (s *Starter) Start(ctx context.Context) (*Process, error) {
	p, err := s.spawnReady(ctx)
	if err != nil && ctx.Err() == nil && s.launcher.retryStart() {
		p, err = s.spawnReady(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("sandbox: start worker: %w", err)
	}
	if err := s.firstLook(p); err != nil {
		p.Kill(Closed)
		_ = p.waitExit() // the error below is the cause
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return p, nil
}

// spawnReady makes a process and returns when it is ready for a call.
func (s *Starter) spawnReady(ctx context.Context) (*Process, error) {
	p, err := s.spawn(ctx)
	if err == nil {
		err = p.handshake(ctx, s.launcher.first())
	}
	return p, err
}

// spawn makes the process, moves it into its cgroup and starts the goroutine that waits for its end.
func (s *Starter) spawn(ctx context.Context) (*Process, error) {
	pipes, err := newPipes()
	if err != nil {
		return nil, err
	}
	tracked, err := s.handover()
	if err != nil {
		return nil, errors.Join(err, pipes.closeChild(), pipes.closeParent())
	}
	slot := s.slots.get()
	handle, err := s.launcher.launch(ctx, slot, pipes.childStdin, pipes.childStdout, pipes.childStderr, tracked)
	err = errors.Join(err, pipes.closeChild())
	if err != nil {
		s.slots.put(slot)
		return nil, errors.Join(err, tracked.Close(), pipes.closeParent())
	}
	p := newProcess(&s.cfg, handle, pipes.stdin, pipes.stdout)
	p.track(tracked, pipes.stderr, &s.pages)
	group, err := s.place(slot, p)
	go s.await(p, slot, group, pipes)
	if err != nil {
		p.Kill(Closed)
		return nil, errors.Join(err, p.waitExit())
	}
	return p, nil
}

// place moves a new process into a cgroup. It has one thread as yet, so that the move is cheap, and nothing of a
// function runs before the handshake.
func (s *Starter) place(slot int, p *Process) (*slotGroup, error) {
	if s.groups == nil {
		return nil, nil //nolint:nilnil // no limits asked for
	}
	group, err := s.groups.of(slot)
	if err != nil {
		return nil, err
	}
	p.used = group.Used
	p.setWeight = func(weight int) { group.setWeight(p, weight) }
	p.giveWay = func(behind bool) { group.giveWay(p, behind) }
	p.setLimits = func(memory int64, cpu float64) error { return group.setLimits(p, memory, cpu) }
	return group, errors.Join(group.assign(p), group.Add(p.handle.pid()))
}

// await is the only waiter of p: it learns the cause of its death, then cleans up.
func (s *Starter) await(p *Process, slot int, group *slotGroup, pipes *pipes) {
	status, used := p.handle.wait()
	p.lastClock = used.cpu
	close(p.clocked)
	now := time.Now()
	// The counter costs more to read than a worker to fork: only a SIGKILL that may not be ours asks for it.
	killed := status.Signaled() && status.Signal() == syscall.SIGKILL && !p.killedFor().planned()
	var outOfMemory Reason
	if group != nil && killed {
		outOfMemory = group.outOfMemory()
	}
	s.slots.put(slot)
	stderr, unread := pipes.lastWords(), pipes.unread()
	p.mu.Lock()
	p.unread = unread
	p.death = classify(p.reason, status, outOfMemory, stderr)
	if !p.deadline.IsZero() {
		p.death.Lag = now.Sub(p.deadline)
	}
	death := *p.death
	p.mu.Unlock()
	p.releasePipes(func() { _ = pipes.closeParent() }) // only memory is lost if a close fails
	p.cfg.Observer.WorkerDied(death.Reason, death.Lag)
	if used.peak > 0 {
		p.cfg.Observer.WorkerUsed(used.peak)
	}
	p.untrack()
	p.async.end()
	p.sync.end()
	close(p.reaped)
}
