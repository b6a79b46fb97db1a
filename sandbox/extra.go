package sandbox

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// extraParts are the parts of a Pool for invocations that need workers of another kind than the usual part of their
// runtime has. What differs is fixed when a fork server starts, so each kind has one of its own:
//
//	more memory than Limits.Memory  V8's heap is an argument of the process: one for 256 MiB, one for 512 MiB and so
//	                                on up to LargestMemory; the next larger one serves a size between two
//	Web                             Node.js has loaded its fetch, and the realm has the globals of the web platform
//	Fetches                         Node.js has loaded its fetch, and the realm is the usual one
//	Rollback                        workers are put back to a snapshot after each call
//
// A part begins with the first invocation that needs it, and ends when it has had no call and no worker for
// IdleTimeout. While one begins that has no more memory than usual, or has no worker at hand and its starts fail, the
// usual part serves its invocations. Those for Rollback wait for none that begins: the part without it serves them,
// each in a worker of its own. All share the budget of the Pool. It is safe for concurrent use.
type extraParts struct {
	cfg    Config // of the Pool
	most   int64  // Config.LargestMemory
	budget *budget
	open   func(*Config) (starter, error)

	mu     sync.Mutex              // guards the fields below
	usual  map[string]*runtimePool // the usual parts that there are, by runtime
	parts  map[partKey]*extraPart
	ending sync.WaitGroup
	closed bool
}

// partKey is what workers of one part have in common.
type partKey struct {
	usual  *runtimePool // that of the same runtime
	memory int64        // bytes
	web    bool
	fetch  bool

	rollback bool
}

// extraPart is one part. Its users are guarded by the lock of extraParts; pool and err are set before made is closed.
type extraPart struct {
	users int
	later *time.Timer // looks at it when it was not used for a while; nil before the first call has ended
	made  chan struct{}
	pool  *runtimePool
	err   error
}

func newExtraParts(cfg Config, open func(*Config) (starter, error), b *budget) *extraParts {
	return &extraParts{
		cfg: cfg, most: cfg.LargestMemory, budget: b, open: open,
		usual: map[string]*runtimePool{}, parts: map[partKey]*extraPart{},
	}
}

// admit lets there be parts beside usual, whose runtime calls can ask for.
func (l *extraParts) admit(usual *runtimePool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.usual[usual.name] = usual
}

// drop ends the parts beside usual: calls in them finish, or are cut off when ctx ends, and there are no others.
func (l *extraParts) drop(ctx context.Context, usual *runtimePool) {
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

// isLarge says whether inv needs a larger heap than the usual part gives.
func (l *extraParts) isLarge(inv *Invocation) bool {
	return inv.Memory > l.cfg.Limits.Memory && l.most > l.cfg.Limits.Memory
}

// sizeFor is the memory that the part for inv has: Limits.Memory doubled until it is as much.
func (l *extraParts) sizeFor(inv *Invocation) int64 {
	size := l.cfg.Limits.Memory
	if !l.isLarge(inv) {
		return size
	}
	for size < inv.Memory && size < l.most {
		size *= 2
	}
	return min(size, l.most)
}

// invoke is Pool.Invoke for an inv of the runtime that usual serves.
func (l *extraParts) invoke(ctx context.Context, usual *runtimePool, inv *Invocation) (*Result, error) {
	large := l.isLarge(inv)
	fetches := inv.Fetches && !inv.Web && !inv.Rollback && usual.cfg.hasFetch
	if !large && !inv.Web && !inv.Rollback && !fetches {
		return usual.Invoke(ctx, inv)
	}
	key := partKey{usual, l.sizeFor(inv), inv.Web, fetches, inv.Rollback}
	part, err := l.join(key)
	if err != nil {
		return nil, l.refuse(err)
	}
	defer l.leave(key, part)
	switch begun := large && !inv.Rollback || part.serves() && !part.pool.scheduler.hasNone(inv.Key); {
	case !begun && inv.Rollback:
		return nil, &unbegunError{part.failed()}
	case !begun:
		return usual.Invoke(ctx, inv)
	}
	if err := part.wait(ctx); err != nil {
		return nil, l.refuse(err)
	}
	result, err := part.pool.Invoke(ctx, inv)
	if errors.Is(err, errAway) {
		return nil, &unbegunError{}
	}
	return result, err
}

// refuse tells the observer, and returns err.
func (l *extraParts) refuse(err error) error {
	l.cfg.Observer.InvocationRefused(err)
	return err
}

// join returns the part of that key, which leave must give back.
func (l *extraParts) join(key partKey) (*extraPart, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.usual[key.usual.name] != key.usual {
		return nil, ErrClosed
	}
	part, ok := l.parts[key]
	if !ok {
		part = &extraPart{made: make(chan struct{})}
		l.parts[key] = part
		go l.begin(key.usual.cfg, key, part)
	}
	part.users++
	return part, nil
}

// begin makes the part. It has its first worker then, and calls have another part where that does not start. Only calls
// for a larger heap without Rollback have no other: their part has no worker yet, and its keeper starts one, and tries
// again, while they wait.
func (l *extraParts) begin(cfg Config, key partKey, part *extraPart) {
	defer close(part.made)
	usual := cfg.Limits.Memory
	cfg.Limits.Memory, cfg.web, cfg.fetch, cfg.rollback = key.memory, key.web, key.fetch, key.rollback
	cfg.later = true
	if key.memory > usual {
		cfg.Prewarmed, cfg.Spare = 0, 0
	}
	starter, err := l.open(&cfg)
	switch {
	case err != nil:
	case key.memory == usual || key.rollback:
		part.pool, err = newPool(context.Background(), cfg, starter, l.budget)
	default:
		part.pool = pausedPool(cfg, starter, l.budget)
		part.pool.scheduler.runOn()
	}
	if err != nil {
		part.err = err
		time.AfterFunc(lastRetry, func() { l.forget(key, part) })
	}
}

// forget has the next call try again to make a part that has failed.
func (l *extraParts) forget(key partKey, part *extraPart) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.parts[key] == part {
		delete(l.parts, key)
	}
}

// serves says whether the part is made, and without an error.
func (p *extraPart) serves() bool {
	select {
	case <-p.made:
		return p.err == nil
	default:
		return false
	}
}

// failed says whether the part could not be made; not that of a Pool that is closed.
func (p *extraPart) failed() bool {
	select {
	case <-p.made:
		return p.err != nil && !errors.Is(p.err, ErrClosed)
	default:
		return false
	}
}

// wait waits until the part is made, or ctx ends.
func (p *extraPart) wait(ctx context.Context) error {
	select {
	case <-p.made:
		return p.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// leave gives the part back. The last one to do so has it looked at later.
func (l *extraParts) leave(key partKey, part *extraPart) {
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
func (l *extraParts) look(key partKey, part *extraPart) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.parts[key] != part || part.users > 0 || l.closed {
		return
	}
	if !part.serves() || part.pool.scheduler.hasBound() {
		part.later.Reset(l.cfg.IdleTimeout)
		return
	}
	delete(l.parts, key)
	l.ending.Go(func() { _ = part.end(context.Background()) })
}

// end ends the part, once it is made, and takes it out of the budget.
func (p *extraPart) end(ctx context.Context) error {
	<-p.made
	if p.pool == nil {
		return nil
	}
	return p.pool.Shutdown(ctx)
}

// shutdown is Pool.Shutdown for all parts.
func (l *extraParts) shutdown(ctx context.Context) error {
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
func (l *extraParts) addTo(s *RuntimeSnapshot, runtime string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, part := range l.parts {
		switch {
		case key.usual.name != runtime:
		case part.serves():
			stats, _ := part.pool.scheduler.snapshot()
			s.Pool.add(&stats)
		case key.rollback && !key.web && key.memory == l.cfg.Limits.Memory && part.failed():
			s.Rollback = RollbackSupport{Reason: part.err.Error(), Mechanism: MechanismFork}
		} // others have no workers yet, or none at all
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
