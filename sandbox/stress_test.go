package sandbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stress is one run of random calls, deaths and failing starts against a pool of fakes. All of it follows from the
// seed.
type stress struct {
	pool    *runtimePool
	starter *fakeStarter
	observe *tally

	mu   sync.Mutex // guards rand
	rand *rand.Rand
}

func (s *stress) chance(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.IntN(n)
}

// serve takes up to 20 ms; one call in twenty dies, one leaves work behind, one throws.
func (s *stress) serve(c *fakeChild, inv *Invocation) (*Result, bool, error) {
	time.Sleep(time.Duration(s.chance(20_000)) * time.Microsecond)
	switch s.chance(20) {
	case 0:
		c.kill(ReasonSignal)
		<-c.reaped
		return nil, false, &DeathError{Reason: ReasonSignal}
	case 1:
		return &Result{Status: 200, Body: []byte(inv.ID)}, false, nil
	case 2:
		return nil, true, &FunctionError{Text: "Error: x"}
	default:
		return &Result{Status: 200, Body: []byte(inv.ID)}, true, nil
	}
}

// client makes calls and fails t for each that was not answered as it may be.
func (s *stress) client(t *testing.T, name, calls int) {
	for n := range calls {
		time.Sleep(time.Duration(s.chance(30_000)) * time.Microsecond)
		inv := invocation(fmt.Sprintf("g%d/f%d", s.chance(4), s.chance(5)), "")
		inv.ID = fmt.Sprint(name, "-", n)
		ctx, cancel := context.WithCancel(t.Context())
		hurried := s.chance(10) == 0
		if hurried {
			ctx, cancel = context.WithTimeout(t.Context(), time.Duration(s.chance(30))*time.Millisecond)
		}
		result, err := s.pool.Invoke(ctx, inv)
		cancel()
		var death *DeathError
		var failure *FunctionError
		var busy *BusyError
		switch {
		case err == nil:
			if string(result.Body) != inv.ID {
				t.Errorf("call %s got the answer of %s", inv.ID, result.Body)
			}
		case errors.As(err, &death), errors.As(err, &failure), errors.Is(err, context.DeadlineExceeded):
		case errors.As(err, &busy) && (busy.Cause == BusyQueueFull || busy.Cause == BusyExpectedWait && hurried):
		default: // a queue timeout would be a lost wake-up
			t.Errorf("call %s: %v", inv.ID, err)
		}
	}
}

// checkStats fails t when the numbers of the pool cannot be.
func (s *stress) checkStats(t *testing.T) {
	got := s.pool.Snapshot().Pool
	if got.Busy < 0 || got.Starting+got.Prewarmed+got.Idle+got.Busy > got.Size || got.Queued > got.QueueSize {
		t.Errorf("impossible: %+v", got)
	}
}

func TestRandomCallsDeathsAndFailuresLoseNothing(t *testing.T) {
	const clients, calls = 60, 80
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			s := &stress{rand: rand.New(rand.NewPCG(seed, 0)), observe: &tally{}}
			s.starter = &fakeStarter{startTime: 3 * time.Millisecond, reapTime: time.Millisecond, serve: s.serve}
			s.starter.fail = func(start int) error {
				if start > 1 && s.chance(20) == 0 {
					return errors.New("no memory")
				}
				return nil
			}
			cfg := fakeConfig(5, 2)
			cfg.QueueSize, cfg.MaxInvocations, cfg.IdleTimeout, cfg.Observer = 50, 7, 15*time.Millisecond, s.observe
			s.pool = fakePool(t, cfg, s.starter)
			var all sync.WaitGroup
			for name := range clients {
				all.Go(func() { s.client(t, name, calls) })
			}
			finished := make(chan struct{})
			go func() { all.Wait(); close(finished) }()
			s.watch(t, finished)
			time.Sleep(time.Minute)
			synctest.Wait()
			s.checkRest(t, clients*calls)
			t.Logf("seed %d: %v", seed, s.observe)
		})
	}
}

// watch looks at the pool and kills a worker now and then, whatever it is doing, until finished.
func (s *stress) watch(t *testing.T, finished <-chan struct{}) {
	for {
		select {
		case <-finished:
			return
		case <-time.After(time.Millisecond):
		}
		s.checkStats(t)
		if s.chance(50) == 0 {
			s.starter.mu.Lock()
			children := s.starter.children
			s.starter.mu.Unlock()
			children[len(children)-1-s.chance(min(5, len(children)))].kill(ReasonSignal)
		}
	}
}

// checkRest fails t unless the pool came to rest and every call was counted once.
func (s *stress) checkRest(t *testing.T, calls int) {
	t.Helper()
	if got := s.pool.Snapshot().Pool; got != (PoolStats{Size: 5, Active: 5, QueueSize: 50, Prewarmed: 2}) {
		t.Errorf("at rest: %+v, want two prewarmed workers only", got)
	}
	s.observe.mu.Lock()
	defer s.observe.mu.Unlock()
	if s.observe.done+s.observe.refused != calls {
		t.Errorf("%d calls done and %d refused, want %d together", s.observe.done, s.observe.refused, calls)
	}
	if s.observe.started+s.observe.startFailed != s.starter.starts {
		t.Errorf("%d starts observed of %d", s.observe.started+s.observe.startFailed, s.starter.starts)
	}
}
