package sandbox

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// The scheduler decides which call gets which worker, and when; which workers start, and which end. The whole of its
// policy:
//
//	Invoke ──▶ acquire (admission.go)
//	             │  an idle worker of the function, or else a prewarmed one, as far as the group may have it (shares.go)?
//	             ├─────────────────────────────────────────────────────────────────────────────────▶ served at once
//	             │  nested, and no worker is free that no other call waits for (nested.go)?
//	             │  the queue is full, and no group has more calls in it? the expected wait is too long (workbefore.go)?
//	             ├─────────────────────────────────────────────────────────────────────────────────▶ refused at once
//	             ▼
//	  ┌───────── queue (queue.go) ──────────────┐
//	  │ groups:    fewest workers first         │   a worker is at hand (dispatch.go)
//	  │ functions: round robin                  │──────────────────────────────────▶ assigned; short calls
//	  │ calls:     first come, first served     │                                    of one function in batches
//	  └─────────────────────────────────────────┘                                       │
//	     ▲ requeued: the worker had not begun it                                        │ answer, or death
//	     └──────────────────────────────────────────────────────────────────────────────┤
//	                                                                                    ▼ release (release.go)
//	  the worker serves the next call of its function ◀── no other is owed it, or its quantum is not over
//	  it is idle, or makes room for another           ◀── otherwise; ended when spent or not reusable
//	  work goes on after the answer (latework.go)     ◀── it serves nobody meanwhile, and makes room first
//	  the caller does not read its stream (stalled.go) ◀── it takes no share meanwhile, and makes room next
//
// Beside it run the keeper (keeper.go), which starts workers for calls that wait and for the prewarmed ones, evicts
// idle ones where slots are needed (evict.go), ends those that were idle for too long and watches the memory
// (memorylimit.go), and the weigher (weights.go), which shares the processors out between groups. What calls of a
// function cost is estimated from earlier ones (servicetime.go).
//
// All state of the schedulers of one server is guarded by one lock, that of their budget. Methods that end in Locked
// need it; nothing is done under it that takes time: system calls, starts and calls of functions happen outside.

// scheduler is that of one pool. Its fields from mu on are guarded by mu.
type scheduler struct {
	cfg        Config
	starter    starter
	kick       chan struct{} // wakes the keeper
	stop       context.CancelFunc
	saturation int            // see saturatedLocked
	processors int            // as many as Go uses
	keeping    sync.WaitGroup // the keeper, starts in progress and the watchers of workers
	calls      sync.WaitGroup // calls in progress
	timers     sync.Pool      // of *time.Timer, stopped, for calls that wait
	budget     *budget
	startsFail atomic.Bool // failing.persist, for those without the lock
	slowStarts atomic.Int64

	mu           *sync.Mutex // the budget's
	workers      map[*slot]struct{}
	prewarmed    []*slot
	idle         idleSet
	putBack      int // workers that have answered, and serve nobody in a moment: see startPutBack
	late         int // workers that are at work after an answer
	stalled      int // workers whose callers do not read
	starting     int
	started      int       // workers, ever
	lastBound    time.Time // a worker got its function then; zero before the first
	retiring     int       // workers that were killed and are not reaped yet
	queue        queue
	bound        map[string]int  // workers of each key that live
	busy         map[string]busy // those of them that serve a call
	serviceTimes serviceTimes
	failing      failing
	closed       bool
	closing      chan struct{} // closed together with closed
	wakesLater   bool          // see wakeKeeperLaterLocked
}

// busy are the workers of a key that serve a call.
type busy struct {
	workers int
	since   time.Time // from when on there was one at each moment
}

// budget is what the pools of several runtimes have in common: Config.Size workers of all together, one bound on the
// calls that wait, and the shares of groups in both. A pool by itself has one of its own.
type budget struct {
	mu         sync.Mutex // guards the fields below and the state of the schedulers
	schedulers []*scheduler
	shares     shares
	memory     memoryState
	spare      spareState
	groups     map[string]int // workers of each group that live
	late       int            // workers that are at work after an answer
	stalled    counts         // workers whose callers do not read, by group

	serves chan struct{}         // wakes the weigher
	scales chan map[*slot]*scale // the weigher has taken them out
}

func newBudget() *budget {
	b := &budget{groups: map[string]int{}, serves: make(chan struct{}, 1), scales: make(chan map[*slot]*scale, 1)}
	b.scales <- map[*slot]*scale{}
	return b
}

// newScheduler returns one whose goroutines do not run yet.
func newScheduler(cfg Config, starter starter, b *budget) *scheduler {
	if cfg.Active == 0 {
		cfg.Active = cfg.Size
	}
	cfg.Reserve = min(cfg.Reserve, cfg.Active-1)
	if teller, ok := starter.(methodTeller); ok && !teller.method().Forked {
		cfg.Spare = 0 // each would have tens of megabytes of its own
	}
	s := &scheduler{
		cfg: cfg, starter: starter, budget: b, mu: &b.mu,
		kick: make(chan struct{}, 1), closing: make(chan struct{}), stop: func() {},
		workers: map[*slot]struct{}{}, bound: map[string]int{}, busy: map[string]busy{}, serviceTimes: serviceTimes{},
		saturation: saturation(&cfg), processors: runtime.GOMAXPROCS(0),
	}
	s.timers.New = func() any {
		timer := time.NewTimer(time.Hour)
		timer.Stop()
		return timer
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b.schedulers = append(b.schedulers, s)
	return s
}

// saturation is how many workers keep all processors busy: as many as there are, or more where the limit of each is
// less than one.
func saturation(cfg *Config) int {
	share := 1.0
	if cfg.Limits.CPU > 0 {
		share = min(share, cfg.Limits.CPU)
	}
	return int(math.Ceil(float64(runtime.GOMAXPROCS(0)) / share))
}

// grows says whether there may be more workers than may compute.
func (s *scheduler) grows() bool { return s.cfg.Active < s.cfg.Size }

// saturatedLocked says whether calls of key wait for one of the workers that serve it, and for no other: they do
// nothing but compute, and for a moment. More workers than there are processors would serve them no faster. They would
// share the processors in slices, and each switch costs more than such a call. Where another function would lose its
// worker for them, one worker is enough until it was busy without a pause for longer than a start takes.
func (s *scheduler) saturatedLocked(key string) bool {
	b := s.busy[key]
	switch {
	case b.workers == 0 || !s.serviceTimes.short(key):
		return false
	case b.workers >= s.saturation:
		return true
	}
	return s.roomLocked() <= 0 && time.Since(b.since) < worthStart
}

// worthStart is how long calls of a short function wait for the workers that it has before another function's ends for
// them. It is about what the start of a worker takes: so no function waits for more than twice of what it would have
// waited for if it had been known how long its callers come.
const worthStart = 10 * time.Millisecond

func (s *scheduler) notSaturatedLocked(key string) bool { return !s.saturatedLocked(key) }
