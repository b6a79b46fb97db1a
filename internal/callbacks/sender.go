package callbacks

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// mostTaken is how many callbacks are taken at once: each is sent at once, so that none waits in a lease.
const mostTaken = 16

// Sender sends callbacks. Use New, Run and Close. It is safe for concurrent use.
type Sender struct {
	Options
	client *http.Client
	lease  time.Duration
	wake   chan struct{} // holds one token when there may be something to take
	work   sync.WaitGroup
	ctx    context.Context // of all that is sent
	cut    context.CancelFunc
	places *places
}

// New returns a Sender that takes nothing yet.
func New(o Options) *Sender {
	o = o.withDefaults()
	s := &Sender{
		Options: o, wake: make(chan struct{}, 1), client: newClient(o),
		// Nothing renews a lease: it outlives the attempt and the time to store what has come of it.
		lease:  2*o.Timeout + time.Second,
		places: newPlaces(o.Most, o.PerNamespace, o.PerReceiver),
	}
	s.ctx, s.cut = context.WithCancel(context.Background())
	return s
}

// Poke has Run look for something to take. It does not block.
func (s *Sender) Poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run takes and sends callbacks until ctx ends. It returns once nothing more is taken; some may be on their way then:
// see Close.
func (s *Sender) Run(ctx context.Context) {
	for ctx.Err() == nil {
		timer := time.NewTimer(s.takeAll(ctx))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-s.wake:
		}
		timer.Stop()
	}
}

// Close waits until nothing is sent any more. What is on its way when ctx ends is cut, and sent again by others.
func (s *Sender) Close(ctx context.Context) {
	defer context.AfterFunc(ctx, s.cut)()
	s.work.Wait()
	s.cut()
}

// takeAll takes callbacks while there is a place for them and some are due. It returns how long to wait for more.
func (s *Sender) takeAll(ctx context.Context) time.Duration {
	for ctx.Err() == nil {
		room := min(s.places.free(), mostTaken)
		if room <= 0 {
			return s.Poll // giving a place back pokes
		}
		taken, next, err := s.Queue.TakeCallbacks(ctx, s.Server, room, s.lease)
		if err != nil {
			if ctx.Err() == nil {
				s.Logger.DebugContext(ctx, "Callbacks cannot be taken", "error", err)
			}
			return s.Poll
		}
		for _, job := range taken {
			s.start(job)
		}
		if len(taken) == 0 {
			if next == 0 || next > s.Poll {
				return s.Poll
			}
			return next
		}
	}
	return s.Poll
}

// start sends a callback that was taken, or gives it back when its receiver has as many as it may.
func (s *Sender) start(job *queue.Call) {
	if s.Disabled(job.Ref.Namespace) {
		s.finish(job, &queue.Settlement{Outcome: queue.Back, Delay: waitFor(1<<20, 1, s.Timeout)}, time.Now())
		return
	}
	receiver := receiverOf(job)
	ok, ahead := s.places.take(job.Ref.Namespace, receiver)
	if !ok {
		delay := waitFor(ahead, s.PerReceiver, s.Timeout)
		s.finish(job, &queue.Settlement{Outcome: queue.Back, Delay: delay}, time.Now())
		return
	}
	s.work.Go(func() {
		defer s.Poke()
		began := time.Now()
		defer s.places.give(job.Ref.Namespace, receiver)
		s.finish(job, s.send(s.ctx, job), began)
	})
}

// finish settles a take, again while the store is away and its lease may hold.
func (s *Sender) finish(job *queue.Call, how *queue.Settlement, began time.Time) {
	how.Lease = queue.LeaseOf(job)
	took := time.Since(began)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), s.lease)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, s.Poll) {
		status, err := s.Queue.SettleCallback(ctx, how)
		switch {
		case err == nil && how.Outcome == queue.Back:
			s.Observer.CallbackSent("back", took)
		case err == nil:
			s.Observer.CallbackSent(string(status), took)
		case errors.Is(err, function.ErrUnavailable) && ctx.Err() == nil && s.ctx.Err() == nil:
			time.Sleep(pause)
			continue
		default:
			s.Observer.CallbackSent("lost", took)
			if !errors.Is(err, queue.ErrLost) {
				s.Logger.WarnContext(ctx, "What a callback came to cannot be stored: it will be sent again",
					"function", job.Ref.String(), "call", job.ID, "error", err)
			}
		}
		return
	}
}
