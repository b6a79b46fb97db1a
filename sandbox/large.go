package sandbox

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// largePools are the parts of a Pool for invocations that ask for more memory than Config.Limits.Memory. V8's heap is
// an argument of the fork server, so each size of it has one of its own:
//
//	Limits.Memory 128 MiB │ 256 MiB │ 512 MiB │ … │ LargestMemory
//	  the usual part      │   a part for each, per runtime; the next larger one serves a size between two
//
// A part begins with the first invocation that needs it, and ends when it has had no call and no worker for
// IdleTimeout. All share the budget of the Pool. It is safe for concurrent use.
type largePools struct {
	cfg    Config // of the Pool
	most   int64  // Config.LargestMemory
	budget *budget
	open   func(*Config) (starter, error)

	mu     sync.Mutex              // guards the fields below
	usual  map[string]*runtimePool // the usual parts that there are, by runtime
	parts  map[largeKey]*largePart
	ending sync.WaitGroup
	closed bool
}

// largeKey is what workers of one part have in common.
type largeKey struct {
	usual  *runtimePool // that of the same runtime
	memory int64        // bytes
}

// largePart is one part. Its users are guarded by the lock of largePools; pool and err are set before made is closed.
type largePart struct {
	users int
	later *time.Timer // looks at it when it was not used for a while; nil before the first call has ended
	made  chan struct{}
	pool  *runtimePool
	err   error
}

func newLargePools(cfg Config, open func(*Config) (starter, error), b *budget) *largePools {
	return &largePools{
		cfg: cfg, most: cfg.LargestMemory, budget: b, open: open,
		usual: map[string]*runtimePool{}, parts: map[largeKey]*largePart{},
	}
}

// admit lets there be parts beside usual, whose runtime calls can ask for.
func (l *largePools) admit(usual *runtimePool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.usual[usual.name] = usual
}

// drop ends the parts beside usual: calls in them finish, or are cut off when ctx ends, and there are no others.
func (l *largePools) drop(ctx context.Context, usual *runtimePool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.usual[usual.name] == usual {
		delete(l.usual, usual.name)
	}
	for key, part := range l.parts {
		if key.usual == usual {
			delete(l.parts, key)
			l.ending.Go(func() { _ = part.end(ctx) })
		}
	}
}

// sizeFor is the memory that the part for so many bytes has: Limits.Memory doubled until it is as much.
func (l *largePools) sizeFor(memory int64) int64 {
	size := l.cfg.Limits.Memory
	for size < memory && size < l.most {
		size *= 2
	}
	return min(size, l.most)
}

// invoke is Pool.Invoke for an inv of the runtime that usual serves.
func (l *largePools) invoke(ctx context.Context, usual *runtimePool, inv *Invocation) (*Result, error) {
	key := largeKey{usual, l.sizeFor(inv.Memory)}
	part, err := l.join(key)
	if err == nil {
		defer l.leave(key, part)
		err = part.wait(ctx)
	}
	if err != nil {
		l.cfg.Observer.InvocationRefused(err)
		return nil, err
	}
	return part.pool.Invoke(ctx, inv)
}

// join returns the part of that key, which leave must give back.
func (l *largePools) join(key largeKey) (*largePart, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.usual[key.usual.name] != key.usual {
		return nil, ErrClosed
	}
	part, ok := l.parts[key]
	if !ok {
		part = &largePart{made: make(chan struct{})}
		l.parts[key] = part
		go l.begin(key.usual.cfg, key, part)
	}
	part.users++
	return part, nil
}

// begin makes the part, without a worker yet: its keeper starts one for the first call, when there is room.
func (l *largePools) begin(cfg Config, key largeKey, part *largePart) {
	defer close(part.made)
	cfg.Limits.Memory, cfg.Prewarmed = key.memory, 0
	starter, err := l.open(&cfg)
	if err != nil {
		l.mu.Lock()
		part.err = err
		delete(l.parts, key) // the next call tries again
		l.mu.Unlock()
		return
	}
	part.pool = pausedPool(cfg, starter, l.budget)
	part.pool.scheduler.runOn()
}

// wait waits until the part is made, or ctx ends.
func (p *largePart) wait(ctx context.Context) error {
	select {
	case <-p.made:
		return p.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// leave gives the part back. The last one to do so has it looked at later.
func (l *largePools) leave(key largeKey, part *largePart) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if part.users--; part.users > 0 || l.closed {
		return
	}
	if part.later == nil {
		part.later = time.AfterFunc(l.cfg.IdleTimeout, func() { l.look(key, part) })
	}
	part.later.Reset(l.cfg.IdleTimeout)
}

// look ends the part if it is of no use any more. Workers outlive the last call by as long as they may be idle.
func (l *largePools) look(key largeKey, part *largePart) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.parts[key] != part || part.users > 0 || l.closed {
		return
	}
	if part.pool.scheduler.hasBound() {
		part.later.Reset(l.cfg.IdleTimeout)
		return
	}
	delete(l.parts, key)
	l.ending.Go(func() { _ = part.end(context.Background()) })
}

// end ends the part, once it is made, and takes it out of the budget.
func (p *largePart) end(ctx context.Context) error {
	<-p.made
	if p.pool == nil {
		return nil
	}
	return p.pool.Shutdown(ctx)
}

// shutdown is Pool.Shutdown for all parts.
func (l *largePools) shutdown(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	errs := make(chan error, len(l.parts))
	for _, part := range l.parts {
		if part.later != nil {
			part.later.Stop()
		}
		go func() { errs <- part.end(ctx) }()
	}
	n := len(l.parts)
	clear(l.parts)
	l.mu.Unlock()
	var all error
	for range n {
		all = errors.Join(all, <-errs)
	}
	l.ending.Wait()
	return all
}

// addTo adds the state of the parts for that runtime to s.
func (l *largePools) addTo(s *PoolStats, runtime string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, part := range l.parts {
		if key.usual.name != runtime {
			continue
		}
		select {
		case <-part.made:
			stats, _ := part.pool.scheduler.snapshot()
			s.add(&stats)
		default: // it has no workers yet
		}
	}
}

// hasBound says whether there are workers that serve a function, or are about to.
func (s *scheduler) hasBound() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.workers) > len(s.prewarmed) || s.starting > 0
}

// leaveBudget takes a scheduler whose workers have ended out of the budget.
func (s *scheduler) leaveBudget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budget.schedulers = slices.DeleteFunc(s.budget.schedulers, func(other *scheduler) bool { return other == s })
}
