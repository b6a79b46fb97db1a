package sandbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Pool runs invocations on workers, of one or several runtimes. It is safe for concurrent use.
type Pool struct {
	cfg        Config
	newStarter func(*Config) (starter, error)
	budget     *budget
	extra      *extraParts
	current    atomic.Pointer[runtimeSet] // never nil
	life       context.Context            // ends when the pool closes
	close      context.CancelFunc
	patience   context.Context // ends when calls are not waited for any more
	cut        context.CancelFunc

	warm     atomic.Bool    // all runtimes of the start were prepared once
	changing sync.Mutex     // one change of the runtimes at a time
	changes  sync.WaitGroup // those in progress, and runtimes that are let go of

	mu     sync.Mutex // guards the fields below, and writes of current
	closed bool
	left   []error // of runtimes that were let go of
}

// New starts a pool and returns when the first worker of each runtime is ready, so that a wrong Node.js or missing
// rights are seen at once. What the host cannot give is ErrUnsupported.
func New(ctx context.Context, cfg Config) (*Pool, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Observer == nil {
		cfg.Observer = NopObserver{}
	}
	cfg, err := cfg.resolved(ctx)
	if err != nil {
		return nil, err
	}
	p := emptyPool(cfg, newStarter)
	for _, rt := range cfg.Runtimes {
		if err := p.start(ctx, rt); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	report := func(name string) Report { return p.current.Load().parts[name].Snapshot().Report }
	if err := cfg.checkModules(report); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// emptyPool is a pool without a runtime.
func emptyPool(cfg Config, newStarter func(*Config) (starter, error)) *Pool {
	b := newBudget()
	cfg.fallbacks = newFallbacks(cfg.Observer)
	p := &Pool{cfg: cfg, newStarter: newStarter, budget: b, extra: newExtraParts(cfg, newStarter, b)}
	p.life, p.close = context.WithCancel(context.Background())
	p.patience, p.cut = context.WithCancel(context.Background())
	p.current.Store(&runtimeSet{})
	return p
}

// start starts the part for a runtime beside the others, or in place of the one of that name, which is let go of then.
func (p *Pool) start(ctx context.Context, rt Runtime) error {
	now := p.current.Load()
	cfg := p.cfg.of(rt, len(now.runtimes) == 0 || now.runtimes[0].Name == rt.Name)
	starter, err := p.newStarter(&cfg)
	if err != nil {
		return fmt.Errorf("runtime %s: %w", rt.Name, err)
	}
	part, err := newPool(ctx, cfg, starter, p.budget)
	if err != nil {
		return fmt.Errorf("runtime %s: %w", rt.Name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		p.letGoLocked(part)
		return ErrClosed
	}
	if old := now.parts[rt.Name]; old != nil {
		p.letGoLocked(old)
	}
	part.name = rt.Name
	p.extra.admit(part)
	p.current.Store(now.with(rt, part))
	return nil
}

// Runtimes are those that calls may ask for at the moment, the first one first. Their paths are absolute, and their
// versions known.
func (p *Pool) Runtimes() []Runtime { return slices.Clone(p.current.Load().runtimes) }

// Invoke runs inv on a worker, waiting for one at most for QueueTimeout or until ctx ends. Its errors are
// *FunctionError when the function failed, *DeathError when its worker died, ErrInvalid, ErrBusy, ErrClosed,
// ErrTooLarge, *RuntimeError where there is no runtime of that name, or wrap the cause of ctx.
func (p *Pool) Invoke(ctx context.Context, inv *Invocation) (*Result, error) {
	for {
		now := p.current.Load()
		part, err := now.part(inv.Runtime)
		if err != nil {
			return nil, err
		}
		result, err := p.invokeOn(ctx, part, inv)
		if err == nil || !errors.Is(err, ErrClosed) || p.current.Load() == now {
			return result, err
		} // else the call had not begun when its runtime was replaced or removed
	}
}

// invokeOn is Invoke on the part of a runtime, or on one of those beside it.
func (p *Pool) invokeOn(ctx context.Context, part *runtimePool, inv *Invocation) (*Result, error) {
	inv = p.reused(part, inv)
	if inv.Memory == 0 && !inv.Web && !inv.Fetches && !inv.Rollback {
		return part.Invoke(ctx, inv)
	}
	result, err := p.extra.invoke(ctx, part, inv)
	if other := p.learnFrom(inv, err); other != nil {
		return p.invokeOn(ctx, part, other)
	}
	if err == nil || inv.Memory == 0 {
		return result, err
	}
	if death, ok := errors.AsType[*DeathError](err); ok && (death.Reason == ReasonMemory ||
		death.Reason == ReasonHeap && inv.Memory > p.cfg.Limits.Memory) {
		death.Memory = inv.Memory
	}
	return result, err
}

// Close refuses new calls, answers those that wait with ErrClosed, lets those that run finish, ends all workers and
// returns when every process has been reaped. It may be called more than once.
func (p *Pool) Close() error { return p.Shutdown(context.Background()) }

// Shutdown is Close, but when ctx ends it also ends the workers that still run calls, with ReasonClosed. After a first
// call of either, later ones wait for its end.
func (p *Pool) Shutdown(ctx context.Context) error {
	defer context.AfterFunc(ctx, p.cut)()
	p.close()
	p.mu.Lock()
	p.closed = true
	now := p.current.Load()
	p.mu.Unlock()
	errs := make(chan error, len(now.parts)+1)
	for _, part := range now.parts {
		go func() { errs <- part.Shutdown(ctx) }()
	}
	go func() { errs <- p.extra.shutdown(ctx) }()
	var all error
	for range cap(errs) {
		all = errors.Join(all, <-errs)
	}
	p.changes.Wait()
	p.cut() // nobody waits for it any more
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(append(p.left, all)...)
}
