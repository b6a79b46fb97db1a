package calls

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/backstage/functions/internal/fairroom"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/rawjson"
)

// mostTaken is how many calls are taken at once: each is started at once, so that none waits in a lease.
const mostTaken = 16

// progressInterval is how often what calls tell of how far they are is stored.
const progressInterval = time.Second

// busyPause is how long it takes until the workers are looked at again when none was spare.
const busyPause = 50 * time.Millisecond

// Causes of the end of a run. The output of its function has them.
var (
	errLost      error = invoke.EndedBy("The call was ended: its lease could not be renewed")
	errCancelled error = invoke.EndedBy("The call was cancelled")
	errStopping  error = invoke.EndedBy("The call was ended, and will run again: the server stops")
)

// Engine runs queued calls. Use New, Run and Close. It is safe for concurrent use.
type Engine struct {
	Options
	answers *fairroom.Room // memory of long answers: see answers.go
	wake    chan struct{}  // holds one token when there may be something to take
	due     bool           // and there probably is; of the goroutine of Run
	waiters waiters
	work    sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	running map[queue.Lease]*run
	// executing are those of running that are not being settled.
	executing int
	stopped   bool
}

// run is a call that runs here.
type run struct {
	call     *queue.Call
	cancel   context.CancelCauseFunc
	renewed  time.Time // when its lease was known to hold, by this process's clock; guarded by Engine.mu
	progress []byte    // what it last told of how far it is; guarded by Engine.mu
	stored   bool      // progress was given to the store; guarded by Engine.mu

	status int           // of the answer of the attempt; used by the goroutine that runs it
	took   time.Duration // how long that ran
}

// New returns an Engine that takes nothing yet.
func New(o Options) *Engine {
	o = o.withDefaults()
	return &Engine{
		Options: o, answers: fairroom.New(answerMemory(&o)), wake: make(chan struct{}, 1), running: map[queue.Lease]*run{},
	}
}

// Run takes and runs calls until ctx ends. It returns once nothing more is taken; calls may run then: see Close.
func (e *Engine) Run(ctx context.Context) {
	var tasks sync.WaitGroup
	tasks.Go(func() { e.Queue.Subscribe(ctx, []string{channel}, e.hear) })
	for ctx.Err() == nil {
		e.pause(ctx, e.takeAll(ctx))
	}
	tasks.Wait()
}

// Close waits until no call runs here any more. When ctx ends first, their workers are killed, and the calls go back
// into the queue.
func (e *Engine) Close(ctx context.Context) {
	e.mu.Lock()
	e.stopped = true
	e.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, r := range e.running {
			r.cancel(errStopping)
		}
	})
	defer stop()
	e.work.Wait()
}

// takeAll takes calls while workers are spare and calls are due. It returns how long to wait for more.
func (e *Engine) takeAll(ctx context.Context) time.Duration {
	for ctx.Err() == nil {
		load, stopped := e.state()
		load.Due = e.due
		room := min(e.Spare(load), mostTaken)
		if room <= 0 || stopped {
			return busyPause
		}
		taken, next, err := e.Queue.TakeCalls(ctx, e.Server, room, e.Lease)
		if err != nil {
			if ctx.Err() == nil {
				e.Logger.DebugContext(ctx, "Queued calls cannot be taken", "error", err)
			}
			return e.Poll
		}
		e.due = len(taken) == room
		for _, c := range taken {
			e.Observer.CallStarted(c.Taken.Sub(c.Due))
			e.start(c)
		}
		if len(taken) == 0 {
			if next == 0 || next > e.Poll {
				return e.Poll
			}
			e.due = true // when that is over
			return next
		}
	}
	return e.Poll
}

// pause waits until there may be something to take.
func (e *Engine) pause(ctx context.Context, long time.Duration) {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-e.wake:
		e.due = true
	}
}

// poke has Run look for something to take.
func (e *Engine) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// state is what the engine does, and whether Close was called.
func (e *Engine) state() (load Load, stopped bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return Load{Running: len(e.running), Executing: e.executing}, e.stopped
}

// start runs a call that was taken.
func (e *Engine) start(c *queue.Call) {
	ctx, cancel := context.WithCancelCause(context.Background())
	r := &run{call: c, cancel: cancel, renewed: time.Now()}
	lease := queue.LeaseOf(c)
	e.mu.Lock()
	e.running[lease] = r
	e.executing++
	if e.stopped {
		cancel(errStopping)
	}
	e.mu.Unlock()
	e.work.Go(func() {
		defer e.poke()
		defer cancel(nil)
		kept := make(chan struct{})
		go func() {
			defer close(kept)
			e.keepLease(ctx, r)
		}()
		how := e.execute(ctx, r)
		e.mu.Lock()
		if how != nil {
			how.Progress = r.progress
		}
		e.executing--
		e.mu.Unlock()
		e.poke() // the worker is free while the result is stored
		e.finish(ctx, r, how)
		if c.CallTo.URL != "" {
			e.Ended()
		}
		e.mu.Lock()
		delete(e.running, lease)
		e.mu.Unlock()
		cancel(nil)
		<-kept
	})
}

// keepLease renews the lease of a run until ctx ends, and ends the run when it is lost.
func (e *Engine) keepLease(ctx context.Context, r *run) {
	tick := time.NewTicker(min(e.Lease/6, progressInterval))
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		begun := time.Now()
		progress := e.takeProgress(r)
		if progress == nil && begun.Sub(last) < e.Lease/3 {
			continue
		}
		renewal := queue.Renewal{Lease: queue.LeaseOf(r.call), Progress: progress}
		lost, err := e.Queue.RenewCalls(ctx, []queue.Renewal{renewal}, e.Lease)
		switch {
		case ctx.Err() != nil:
			return
		case len(lost) > 0, err != nil && time.Since(e.renewedAt(r)) > e.Lease:
			r.cancel(errLost)
			return
		case err == nil:
			last = begun
			e.renewed(r, begun)
			if progress != nil {
				e.tell(ctx, heardSettled, r.call.ID)
			}
		}
	}
}

func (e *Engine) renewed(r *run, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r.renewed = at
}

func (e *Engine) renewedAt(r *run) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return r.renewed
}

// progress notes what a run tells of how far it is. It is stored at the next look at its lease, or with its end.
func (e *Engine) progress(lease queue.Lease, p sandbox.Progress) {
	o := rawjson.NewObject(nil)
	o.Raw("part", strconv.AppendFloat(nil, p.Part, 'f', -1, 64))
	if p.Text != "" {
		o.String("text", p.Text)
	}
	text := o.End()
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.running[lease]; r != nil {
		r.progress, r.stored = text, false
	}
}

// takeProgress returns what the run has told and is not yet stored; nil for nothing.
func (e *Engine) takeProgress(r *run) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.stored {
		return nil
	}
	r.stored = true
	return r.progress
}
