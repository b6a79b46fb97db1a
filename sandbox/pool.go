package sandbox

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// child is a started process as the pool sees it; *process is the real one.
type child interface {
	// invoke serves one call; first says that it binds the child. After an error that is not a *FunctionError, and when
	// reusable is false, the child must not be used again.
	invoke(ctx context.Context, inv *Invocation, first bool) (result *Result, reusable bool, err error)
	// kill ends the child for reason; the first reason counts.
	kill(reason Reason)
	// dead is closed when the child has been reaped.
	dead() <-chan struct{}
}

// starter makes children.
type starter interface {
	start(ctx context.Context) (child, error)
	// describe says in a few words what stands around a child.
	describe() string
	close() error
}

// worker is a child in the pool. Its fields are guarded by Pool.mu.
type worker struct {
	child
	key      string // what it is bound to; empty while prewarmed
	calls    int
	bound    time.Time
	lastUsed time.Time
	retired  bool // killed by us, waiting to be reaped
}

// Pool runs invocations on workers. It is safe for concurrent use.
type Pool struct {
	cfg     Config
	starter starter
	kick    chan struct{} // wakes the keeper
	stop    context.CancelFunc
	keeping sync.WaitGroup // the keeper, starts in progress and the watchers of workers
	calls   sync.WaitGroup // calls in progress

	quiet    chan struct{} // closed when all has ended
	closeErr error         // set before that

	mu        sync.Mutex // guards the fields below
	workers   map[*worker]struct{}
	prewarmed []*worker
	idle      idleSet
	starting  int
	retiring  int // workers that were killed and are not reaped yet
	queue     queue
	failing   failing
	closed    bool
	closing   chan struct{} // closed together with closed
}

// New starts a pool and returns when its first worker is ready, so that a wrong Node.js or missing rights are seen at once.
func New(ctx context.Context, cfg Config) (*Pool, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	starter, err := newStarter(cfg)
	if err != nil {
		return nil, err
	}
	return newPool(ctx, cfg, starter)
}

func newPool(ctx context.Context, cfg Config, starter starter) (*Pool, error) {
	keeping, stop := context.WithCancel(context.Background())
	p := &Pool{
		cfg: cfg, starter: starter, stop: stop,
		kick:    make(chan struct{}, 1),
		workers: map[*worker]struct{}{},
		closing: make(chan struct{}),
		quiet:   make(chan struct{}),
	}
	if err := p.startOne(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	p.keeping.Go(func() { p.keep(keeping) }) // after the first start, which must not come on top of the keeper's own
	return p, nil
}

// Isolation says in a few words what stands around a worker.
func (p *Pool) Isolation() string { return p.starter.describe() }

// Invoke runs inv on a worker, waiting for one at most for QueueTimeout or until ctx ends. Its errors are *FunctionError when the
// function failed, *DeathError when its worker died, ErrBusy, ErrClosed, ErrTooLarge, or wrap the cause of ctx.
func (p *Pool) Invoke(ctx context.Context, inv *Invocation) (*Result, error) {
	began := time.Now()
	w, start, err := p.acquire(ctx, inv)
	if err != nil {
		p.cfg.Observer.InvocationRefused(err)
		return nil, err
	}
	defer p.calls.Done()
	served := Stats{Start: start, Queue: time.Since(began)}
	if inv.Detached {
		ctx = context.WithoutCancel(ctx)
	}
	running := time.Now()
	result, reusable, err := w.invoke(ctx, inv, start != StartWarm)
	served.Run = time.Since(running)
	p.release(w, inv, reusable)
	if stats := statsOf(result, err); stats != nil {
		served.Load, served.CPU = min(stats.Load, served.Run), stats.CPU // what the worker's side has measured
		*stats = served
	}
	p.cfg.Observer.InvocationDone(served)
	return result, err
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

// Stats returns the state of the pool.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := PoolStats{
		Size: p.cfg.Size, QueueSize: p.cfg.QueueSize,
		Starting: p.starting, Prewarmed: len(p.prewarmed), Idle: p.idle.len(), Queued: p.queue.len(),
	}
	s.Busy = len(p.workers) - p.retiring - s.Prewarmed - s.Idle
	return s
}

// Close refuses new calls, answers those that wait with ErrClosed, lets those that run finish, ends all workers and returns when every
// process has been reaped. It may be called more than once.
func (p *Pool) Close() error {
	p.mu.Lock()
	first := !p.closed
	if first {
		p.closed = true
		close(p.closing)
	}
	p.mu.Unlock()
	if first {
		p.closeErr = p.shutDown()
		close(p.quiet)
	}
	<-p.quiet
	return p.closeErr
}

func (p *Pool) shutDown() error {
	p.calls.Wait()
	p.stop()
	p.mu.Lock()
	for w := range p.workers {
		p.retireLocked(w, ReasonClosed)
	}
	p.prewarmed, p.idle = nil, idleSet{}
	p.mu.Unlock()
	quiet := make(chan struct{})
	go func() {
		p.keeping.Wait()
		close(quiet)
	}()
	select {
	case <-quiet:
	case <-time.After(closeGrace): // whoever should report the deaths does not: closing the starter ends and reaps what is left
	}
	err := p.starter.close()
	<-quiet
	return err
}

// closeGrace is how long Close waits for killed workers to be reported dead.
const closeGrace = 5 * time.Second

// acquire finds a worker for inv and counts the call as in progress.
func (p *Pool) acquire(ctx context.Context, inv *Invocation) (*worker, StartKind, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, "", ErrClosed
	}
	if w, start := p.takeLocked(inv.Key); w != nil {
		p.calls.Add(1)
		p.mu.Unlock()
		if start == StartPrewarmed {
			p.wakeKeeper()
		}
		return w, start, nil
	}
	if p.queue.len() >= p.cfg.QueueSize {
		p.mu.Unlock()
		return nil, "", fmt.Errorf("%w: the queue is full", ErrBusy)
	}
	waiting := p.queue.push(inv.Group, inv.Key)
	p.mu.Unlock()
	p.wakeKeeper()
	return p.wait(ctx, waiting)
}

// takeLocked returns a worker that can serve key at once.
func (p *Pool) takeLocked(key string) (*worker, StartKind) {
	if w := p.idle.take(key); w != nil {
		return w, StartWarm
	}
	if n := len(p.prewarmed); n > 0 {
		w := p.prewarmed[n-1]
		p.prewarmed = p.prewarmed[:n-1]
		p.bindLocked(w, key)
		return w, StartPrewarmed
	}
	return nil, ""
}

func (p *Pool) bindLocked(w *worker, key string) {
	w.key, w.bound = key, time.Now()
}

func (p *Pool) wait(ctx context.Context, waiting *waiter) (*worker, StartKind, error) {
	timeout := time.NewTimer(p.cfg.QueueTimeout)
	defer timeout.Stop()
	var err error
	select {
	case <-waiting.ready:
	case <-ctx.Done():
		err = fmt.Errorf("sandbox: waiting for a worker: %w", context.Cause(ctx))
	case <-timeout.C:
		err = fmt.Errorf("%w within %v", ErrBusy, p.cfg.QueueTimeout)
	case <-p.closing:
		err = ErrClosed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if waiting.worker != nil { // perhaps in the same moment as err
		return waiting.worker, waiting.start, nil
	}
	p.queue.remove(waiting)
	return nil, "", err
}

// release takes w back after the call inv.
func (p *Pool) release(w *worker, inv *Invocation, reusable bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.calls++
	w.lastUsed = time.Now()
	spent := isSpent(w.calls, p.cfg.MaxInvocations) || isSpent(w.calls, inv.MaxInvocations)
	select {
	case <-w.dead():
		return // its watcher does the rest
	default:
	}
	switch {
	case !reusable || spent || p.closed:
		p.retireLocked(w, ReasonRetired)
	case !p.mayStayLocked(w):
		p.retireLocked(w, ReasonEvicted)
	case p.queue.has(w.key):
		p.handLocked(w, p.queue.takeKey(w.key), StartWarm)
		return
	default:
		p.idle.put(w)
	}
	if p.queue.len() > 0 {
		p.wakeKeeper()
	}
}

// isSpent says whether a worker has served as many calls as it may; 0 sets no limit.
func isSpent(calls, limit int) bool { return limit > 0 && calls >= limit }

// quantum is how long a function may keep a worker while others wait and no slot is free.
const quantum = 50 * time.Millisecond

// mayStayLocked says whether w may go on serving its own function although others wait. It need not give way while enough slots for
// them are free or about to be.
func (p *Pool) mayStayLocked(w *worker) bool {
	others := p.queue.len() - p.queue.keys[w.key]
	coming := p.freeLocked() + p.starting + p.retiring + p.idle.len()
	return others <= coming || p.queue.next().key == w.key || time.Since(w.bound) < quantum
}

// handLocked gives w to waiting and counts the call as in progress.
func (p *Pool) handLocked(w *worker, waiting *waiter, start StartKind) {
	if w.key == "" {
		p.bindLocked(w, waiting.key)
	}
	p.calls.Add(1)
	waiting.worker, waiting.start = w, start
	close(waiting.ready)
}

// freeLocked counts the slots without a process.
func (p *Pool) freeLocked() int { return p.cfg.Size - len(p.workers) - p.starting }

// retireLocked kills w; its slot is free when its watcher has seen the end.
func (p *Pool) retireLocked(w *worker, reason Reason) {
	if !w.retired {
		w.retired = true
		p.retiring++
		w.kill(reason)
	}
}

func (p *Pool) wakeKeeper() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// startsAtOnce is how many processes may be starting at the same time: more would only slow each other down.
func startsAtOnce() int { return max(2, runtime.GOMAXPROCS(0)) }
