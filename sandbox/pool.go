package sandbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Pool runs invocations on workers, of one or several runtimes. It is safe for concurrent use.
type Pool struct {
	runtimes []Runtime // the first one first
	names    []string
	pools    map[string]*runtimePool
	memory   int64 // of a worker whose function asks for none
	large    *largePools
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
	b := newBudget()
	p := &Pool{pools: map[string]*runtimePool{}, memory: cfg.Limits.Memory, large: newLargePools(cfg, b)}
	for i, rt := range cfg.Runtimes {
		if err := p.start(ctx, cfg.of(i), rt, b); err != nil {
			return nil, errors.Join(fmt.Errorf("runtime %s: %w", rt.Name, err), p.Close())
		}
	}
	report := func(name string) Report { return p.pools[name].Snapshot().Report }
	if err := checkModules(p.names, cfg.Modules, report); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// start starts the part for one runtime, beside others of the same budget.
func (p *Pool) start(ctx context.Context, cfg Config, rt Runtime, b *budget) error {
	starter, err := newStarter(&cfg)
	if err != nil {
		return err
	}
	part, err := newPool(ctx, cfg, starter, b)
	if err != nil {
		return err
	}
	p.runtimes, p.names, p.pools[rt.Name] = append(p.runtimes, rt), append(p.names, rt.Name), part
	return nil
}

// Runtimes are those that calls may ask for at the moment, the first one first. Their paths are absolute, and their
// versions known.
func (p *Pool) Runtimes() []Runtime { return slices.Clone(p.runtimes) }

// Invoke runs inv on a worker, waiting for one at most for QueueTimeout or until ctx ends. Its errors are
// *FunctionError when the function failed, *DeathError when its worker died, ErrInvalid, ErrBusy, ErrClosed,
// ErrTooLarge, *RuntimeError where there is no runtime of that name, or wrap the cause of ctx.
func (p *Pool) Invoke(ctx context.Context, inv *Invocation) (*Result, error) {
	name := inv.Runtime
	if name == "" {
		name = p.names[0]
	}
	part, ok := p.pools[name]
	if !ok {
		return nil, &RuntimeError{Name: name, Known: p.names}
	}
	if inv.Memory == 0 {
		return part.Invoke(ctx, inv)
	}
	return p.invokeLimited(ctx, part, name, inv)
}

// invokeLimited is Invoke for an inv with a limit of its own on memory.
func (p *Pool) invokeLimited(ctx context.Context, part *runtimePool, name string, inv *Invocation) (*Result, error) {
	var result *Result
	var err error
	if inv.Memory > p.memory && p.large.most > p.memory {
		result, err = p.large.invoke(ctx, &part.cfg, name, inv)
	} else {
		result, err = part.Invoke(ctx, inv)
	}
	if death, ok := errors.AsType[*DeathError](err); ok && (death.Reason == ReasonMemory ||
		death.Reason == ReasonHeap && inv.Memory > p.memory) {
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
	errs := make(chan error, len(p.pools)+1)
	for _, part := range p.pools {
		go func() { errs <- part.Shutdown(ctx) }()
	}
	go func() { errs <- p.large.shutdown(ctx) }()
	var all error
	for range cap(errs) {
		all = errors.Join(all, <-errs)
	}
	return all
}
