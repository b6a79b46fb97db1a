package sandbox

import (
	"context"
	"errors"
	"sync"
	"time"
)

// runtimePool is the part of a Pool for one runtime. It is safe for concurrent use.
type runtimePool struct {
	name      string // of its runtime, once calls can ask for it
	cfg       Config
	starter   starter
	scheduler *scheduler
	compiling sync.WaitGroup // calls of our own, which make code caches

	quiet    chan struct{} // closed when all has ended
	closeErr error         // set before that
}

// newPool starts the part of what starter makes, beside others of the same budget.
func newPool(ctx context.Context, cfg Config, starter starter, b *budget) (*runtimePool, error) {
	p := pausedPool(cfg, starter, b)
	if err := p.scheduler.run(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// pausedPool is a part whose scheduler does not run yet.
func pausedPool(cfg Config, starter starter, b *budget) *runtimePool {
	s := newScheduler(cfg, starter, b)
	if cfg.rollback {
		s.saturation *= putBackAtOnce
	}
	return &runtimePool{cfg: s.cfg, starter: starter, scheduler: s, quiet: make(chan struct{})}
}

// Invoke is Pool.Invoke for an inv of this runtime.
func (p *runtimePool) Invoke(ctx context.Context, inv *Invocation) (*Result, error) {
	if err := inv.Validate(); err != nil {
		return nil, err
	}
	began := time.Now()
	result, served, err := p.attempt(ctx, inv, began, false)
	for again := 0; again < 2 && (isUntouched(err) || errors.Is(err, errNotBegun)); again++ {
		result, served, err = p.attempt(ctx, inv, began, true)
	}
	if errors.Is(err, errAway) {
		return nil, err
	}
	if served.Start == "" {
		p.cfg.Observer.InvocationRefused(err)
		return nil, err
	}
	p.cfg.Observer.InvocationDone(served)
	return result, err
}

// attempt runs inv on the next worker that it can have. Without one the Stats are zero. A call that is made again is
// not sent behind another.
func (p *runtimePool) attempt(
	ctx context.Context, inv *Invocation, began time.Time, again bool,
) (*Result, Stats, error) {
	c, err := p.scheduler.acquire(ctx, inv, again)
	if err != nil {
		return nil, Stats{}, err
	}
	defer p.scheduler.calls.Done()
	served := Stats{Start: c.start, Queue: time.Since(began)}
	running := time.Now()
	if c.first {
		c.cache = p.compiled(inv)
	}
	if w, ok := c.slot.child.(weigher); ok && !c.sent {
		w.giveWay(inv.Background)
	}
	result, reusable, err := c.slot.invoke(ctx, c)
	served.Run = time.Since(running)
	stats := statsOf(result, err)
	cost := costOf(stats, served.Run)
	cost.missed = c.missed
	if stats != nil {
		served.Load, served.CPU = min(stats.Load, served.Run), stats.CPU // what the worker's side has measured
		served.FirstByte, served.Sent = min(stats.FirstByte, served.Run), stats.Sent
		*stats = served
	}
	switch {
	case c.putBack != nil:
		p.scheduler.startPutBack(c, cost)
	case c.late != nil:
		p.scheduler.startLateWork(c, cost)
	default:
		p.scheduler.release(c, cost, reusable)
	}
	return result, served, err
}

// isUntouched says whether err is the death of a worker that had read nothing of its call, such as one that was killed
// from outside while it was idle. Nothing of the call can have happened, so it may be made once more on another worker.
func isUntouched(err error) bool {
	death, ok := err.(*DeathError) //nolint:errorlint // as made by invoke, never wrapped
	return ok && death.untouched
}

// statsOf are those of whichever of the two outcomes of a call carries any; nil when none does.
func statsOf(result *Result, err error) *Stats {
	switch err := err.(type) { //nolint:errorlint // as made by invoke, never wrapped
	case nil:
		return &result.Stats
	case *FunctionError:
		return &err.Stats
	case *DeathError:
		return &err.Stats
	case *StreamError:
		return &err.Stats
	}
	return nil
}
