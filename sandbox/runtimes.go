package sandbox

import (
	"context"
	"errors"
	"fmt"
)

// Runtime is one version of Node.js that functions may run on.
type Runtime struct {
	// Name is what an Invocation asks for; Node is the path of the binary.
	Name, Node string
}

// Runtimes are pools side by side, one for each runtime, with a zygote each. It is safe for concurrent use.
type Runtimes struct {
	names []string
	pools map[string]*Pool
}

// NewRuntimes starts a pool like cfg for each runtime, cfg.Node aside. All together have cfg.Size workers and one queue
// of cfg.QueueSize. The first runtime is that of invocations that name none, and alone has cfg.Prewarmed workers ready;
// the others keep one, if any.
func NewRuntimes(ctx context.Context, cfg Config, runtimes []Runtime) (*Runtimes, error) {
	if len(runtimes) == 0 {
		return nil, errors.New("sandbox: no runtime")
	}
	r := &Runtimes{pools: map[string]*Pool{}}
	b := newBudget()
	for i, runtime := range runtimes {
		own := cfg
		own.Node = runtime.Node
		if i > 0 {
			own.Prewarmed = min(own.Prewarmed, 1)
		}
		if _, again := r.pools[runtime.Name]; again {
			return nil, errors.Join(fmt.Errorf("sandbox: runtime %s is named twice", runtime.Name), r.Close())
		}
		pool, err := newReal(ctx, own, b)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("runtime %s: %w", runtime.Name, err), r.Close())
		}
		r.names = append(r.names, runtime.Name)
		r.pools[runtime.Name] = pool
	}
	report := func(name string) Report { return r.pools[name].Snapshot().Report }
	if err := checkModules(r.names, cfg.Modules, report); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Names lists the runtimes, the first one first.
func (r *Runtimes) Names() []string { return r.names }

// First returns the pool of the first runtime.
func (r *Runtimes) First() *Pool { return r.pools[r.names[0]] }

// Invoke runs inv on the pool of its runtime; see Pool.Invoke. A runtime that is not there is ErrUnknownRuntime.
func (r *Runtimes) Invoke(ctx context.Context, inv *Invocation) (*Result, error) {
	name := inv.Runtime
	if name == "" {
		name = r.names[0]
	}
	pool, ok := r.pools[name]
	if !ok {
		return nil, &RuntimeError{Name: name, Known: r.names}
	}
	return pool.Invoke(ctx, inv)
}

// Close closes all pools; see Pool.Close.
func (r *Runtimes) Close() error { return r.Shutdown(context.Background()) }

// Shutdown closes all pools at the same time; see Pool.Shutdown.
func (r *Runtimes) Shutdown(ctx context.Context) error {
	errs := make(chan error, len(r.pools))
	for _, pool := range r.pools {
		go func() { errs <- pool.Shutdown(ctx) }()
	}
	var all error
	for range r.pools {
		all = errors.Join(all, <-errs)
	}
	return all
}
