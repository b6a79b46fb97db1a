package sandbox

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// child is a started process as the pool sees it; *process is the real one.
type child interface {
	// invoke serves the call whose turn it is. After an error that is not a *FunctionError, and when reusable is false, the child must not
	// be used again, and calls that were sent with this one have not begun.
	invoke(ctx context.Context, t *turn) (result *Result, reusable bool, err error)
	// kill ends the child for reason; the first reason counts.
	kill(reason Reason)
	// dead is closed when the child has been reaped.
	dead() <-chan struct{}
	// idleCPU is the processor time that the child has used since its last call ended; 0 during a call.
	idleCPU() time.Duration
}

// starter makes children.
type starter interface {
	start(ctx context.Context) (child, error)
	// describe says in a few words what stands around a child.
	describe() string
	close() error
}

// slot is the place of a child in the pool. Its fields are guarded by Pool.mu.
type slot struct {
	child
	key      string    // what it is bound to; empty while prewarmed
	group    string    // whose key that is
	behind   []*waiter // those whose calls were sent together with the one in progress
	calls    int
	bound    time.Time
	lastUsed time.Time
	busy     bool          // serves a call and may be computing
	serving  bool          // serves a call
	since    time.Time     // it serves one
	pending  bool          // the call's main has returned and the answer is to come
	waiting  bool          // the call waits for something, so that it does not count as active
	seen     time.Duration // what its clock said at the last look at a call that is pending
	lookAt   time.Time     // whether that waits is not worth a look before then
	late     bool          // is at work after an answer
	computes bool          // and uses a processor for that, so that it counts as active
	ended    bool          // killed for the memory that its call uses
	retired  bool          // killed by us, waiting to be reaped
}

// Pool runs invocations on workers. It is safe for concurrent use.
type Pool struct {
	cfg        Config
	starter    starter
	kick       chan struct{} // wakes the keeper
	stop       context.CancelFunc
	lean       int            // see heldLocked
	processors int            // as many as Go uses
	keeping    sync.WaitGroup // the keeper, starts in progress and the watchers of workers
	calls      sync.WaitGroup // calls in progress

	quiet    chan struct{} // closed when all has ended
	closeErr error         // set before that

	house *house

	mu        *sync.Mutex // the house's; guards the fields below
	workers   map[*slot]struct{}
	prewarmed []*slot
	idle      idleSet
	late      int // workers that are at work after an answer
	starting  int
	started   int // workers, ever
	retiring  int // workers that were killed and are not reaped yet
	queue     queue
	bound     map[string]int // workers of each key that live
	busy      map[string]int // those of them that serve a call
	paces     paces
	failing   failing
	closed    bool
	closing   chan struct{} // closed together with closed
}

// New starts a pool and returns when its first worker is ready, so that a wrong Node.js or missing rights are seen at once.
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
	starter, err := newStarter(&cfg)
	if err != nil {
		return nil, err
	}
	pool, err := newPool(ctx, cfg, starter)
	if err == nil && cfg.house == nil {
		if err = checkModules([]string{""}, map[string]*Pool{"": pool}); err != nil {
			return nil, errors.Join(err, pool.Close())
		}
	}
	return pool, err
}

func newPool(ctx context.Context, cfg Config, starter starter) (*Pool, error) {
	if cfg.Active == 0 {
		cfg.Active = cfg.Size
	}
	cfg.Reserve = min(cfg.Reserve, cfg.Active-1)
	keeping, stop := context.WithCancel(context.Background())
	home := cfg.house
	if home == nil {
		home = newHouse()
	}
	p := &Pool{
		house: home, mu: &home.mu, cfg: cfg, starter: starter, stop: stop,
		kick:    make(chan struct{}, 1),
		workers: map[*slot]struct{}{}, bound: map[string]int{}, busy: map[string]int{}, lean: lean(&cfg), processors: runtime.GOMAXPROCS(0), paces: paces{},
		closing: make(chan struct{}),
		quiet:   make(chan struct{}),
	}
	p.mu.Lock()
	home.pools = append(home.pools, p)
	p.mu.Unlock()
	if err := p.startOne(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	p.keeping.Go(func() { p.keep(keeping) }) // after the first start, which must not come on top of the keeper's own
	p.keeping.Go(func() { home.weighAll(keeping.Done()) })
	return p, nil
}

// Isolation says in a few words what stands around a worker.
func (p *Pool) Isolation() string { return p.starter.describe() }

// Invoke runs inv on a worker, waiting for one at most for QueueTimeout or until ctx ends. Its errors are *FunctionError when the
// function failed, *DeathError when its worker died, ErrInvalid, ErrBusy, ErrClosed, ErrTooLarge, or wrap the cause of ctx.
func (p *Pool) Invoke(ctx context.Context, inv *Invocation) (*Result, error) {
	if err := inv.Validate(); err != nil {
		return nil, err
	}
	began := time.Now()
	result, served, err := p.attempt(ctx, inv, began, false)
	for again := 0; again < 2 && (isUntouched(err) || errors.Is(err, errNotBegun)); again++ {
		result, served, err = p.attempt(ctx, inv, began, true)
	}
	if served.Start == "" {
		p.cfg.Observer.InvocationRefused(err)
		return nil, err
	}
	p.cfg.Observer.InvocationDone(served)
	return result, err
}

// attempt runs inv on the next worker that it can have. Without one the Stats are zero. A call that is made again is not sent behind another.
func (p *Pool) attempt(ctx context.Context, inv *Invocation, began time.Time, again bool) (*Result, Stats, error) {
	w, t, start, err := p.acquire(ctx, inv, again)
	if err != nil {
		return nil, Stats{}, err
	}
	defer p.calls.Done()
	served := Stats{Start: start, Queue: time.Since(began)}
	if inv.Detached {
		ctx = context.WithoutCancel(ctx)
	}
	running := time.Now()
	t.waits = func() { p.callWaits(w) }
	if t.first {
		t.cache = p.compiled(inv)
	}
	result, reusable, err := w.invoke(ctx, t)
	served.Run = time.Since(running)
	stats := statsOf(result, err)
	cost := costOf(stats, served.Run)
	cost.missed = t.missed
	if stats != nil {
		served.Load, served.CPU = min(stats.Load, served.Run), stats.CPU // what the worker's side has measured
		*stats = served
	}
	if t.late != nil {
		p.linger(w, inv, cost, t.late)
	} else {
		p.release(w, inv, cost, reusable)
	}
	return result, served, err
}

// isUntouched says whether err is the death of a worker that had read nothing of its call, such as one that was killed from outside while
// it was idle. Nothing of the call can have happened, so it may be made once more on another worker.
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
	}
	return nil
}

// servingLocked is how many workers of the pool serve a call.
func (p *Pool) servingLocked() int {
	return len(p.workers) - p.retiring - len(p.prewarmed) - p.idle.len() - p.late
}

// Stats returns the state of the pool.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := PoolStats{
		Size: p.cfg.Size, Active: p.cfg.Active, QueueSize: p.cfg.QueueSize,
		Starting: p.starting, Prewarmed: len(p.prewarmed), Idle: p.idle.len(), Busy: p.servingLocked(), Late: p.late, Queued: p.queue.len(),
		Groups: len(p.house.shares.serving.of),
	}
	for w := range p.workers {
		if w.waiting {
			s.Waiting++
		}
	}
	for _, held := range p.house.shares.serving.of {
		s.MostHeld = max(s.MostHeld, held)
	}
	for _, other := range p.house.pools {
		for group := range other.queue.groups.members {
			s.MostQueued = max(s.MostQueued, p.house.queuedLocked(group))
		}
	}
	return s
}

func (p *Pool) wakeKeeper() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// startsAtOnce is how many processes may be starting at the same time: more would only slow each other down.
func startsAtOnce() int { return max(2, runtime.GOMAXPROCS(0)) }
