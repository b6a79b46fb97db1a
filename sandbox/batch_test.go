package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// shortly makes a pool whose function a/1 is known to be short, on children that serve with serve.
func shortly(t *testing.T, cfg Config, serve func(c *fakeChild, inv *Invocation) (*Result, bool, error)) (*runtimePool, *fakeStarter) {
	t.Helper()
	starter := &fakeStarter{serve: serve, startTime: time.Millisecond, reapTime: time.Millisecond}
	pool := fakePool(t, cfg, starter)
	for range serviceCalls {
		answered(t, pool, invocation("a/1", "1ms"))
	}
	return pool, starter
}

// numbered makes n calls of a/1 at once; check is given the outcome of each.
func numbered(t *testing.T, pool *runtimePool, n int, check func(i int, result *Result, err error)) {
	t.Helper()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			inv := invocation("a/1", "1ms")
			inv.ID = fmt.Sprint(i)
			result, err := pool.Invoke(t.Context(), inv)
			check(i, result, err)
		})
	}
	all.Wait()
}

func TestCallsOfAShortFunctionAreSentTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := shortly(t, fakeConfig(16, 1), computing(time.Microsecond))
		numbered(t, pool, 200, func(i int, result *Result, err error) {
			if err != nil || string(result.Body) != fmt.Sprint(i) {
				t.Errorf("call %d: %v, %v", i, result, err)
			}
		})
		if starter.together != mostBatched {
			t.Errorf("%d calls were sent together at the most, %d may be", starter.together, mostBatched)
		}
	})
}

func TestCallsAreSentAloneWhereTheyMustBe(t *testing.T) {
	big := func(c *fakeChild, inv *Invocation) (*Result, bool, error) { return computing(time.Microsecond)(c, inv) }
	for name, row := range map[string]struct {
		serve func(c *fakeChild, inv *Invocation) (*Result, bool, error)
		cfg   func(*Config)
		inv   func(*Invocation)
	}{
		"long":        {serve: computing(shortCall)},
		"limited":     {serve: computing(time.Microsecond), inv: func(inv *Invocation) { inv.MaxInvocations = 1000 }},
		"all limited": {serve: computing(time.Microsecond), cfg: func(c *Config) { c.MaxInvocations = 1000 }},
		"big":         {serve: big, inv: func(inv *Invocation) { inv.Request.Body = bytes.Repeat([]byte("1"), batchBytes) }},
	} {
		synctest.Test(t, func(t *testing.T) {
			cfg := fakeConfig(4, 1)
			if row.cfg != nil {
				row.cfg(&cfg)
			}
			pool, starter := shortly(t, cfg, row.serve)
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() {
					inv := invocation("a/1", "1ms")
					if row.inv != nil {
						row.inv(inv)
					}
					answered(t, pool, inv)
				})
			}
			all.Wait()
			if starter.together != 1 {
				t.Errorf("%s: %d calls were sent together", name, starter.together)
			}
		})
	}
}

func TestCallsThatLimitTheirWorkerAreNotAmongThoseSentTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := shortly(t, fakeConfig(16, 1), computing(time.Microsecond))
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				inv := invocation("a/1", "1ms")
				inv.MaxInvocations = 1000 * (i % 20 / 19)
				answered(t, pool, inv)
			})
		}
		all.Wait()
		if starter.together < 2 {
			t.Error("no calls were sent together")
		}
	})
}

// Every tenth call kills its child, every eleventh leaves one that cannot be used again: the others do not notice.
func TestCallsBehindOneThatEndsTheWorkerAreServedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun [200]atomic.Int32
		pool, starter := shortly(t, fakeConfig(16, 1), func(c *fakeChild, inv *Invocation) (*Result, bool, error) {
			result, reusable, err := computing(time.Microsecond)(c, inv)
			var i int
			if _, scanErr := fmt.Sscan(inv.ID, &i); scanErr != nil {
				return result, reusable, err // one of the first
			}
			begun[i].Add(1)
			switch {
			case i%10 == 0:
				c.kill(ReasonSignal)
				<-c.reaped
				return nil, false, &DeathError{Reason: ReasonSignal}
			case i%11 == 0:
				c.kill(ReasonRetired)
				return result, false, err
			}
			return result, reusable, err
		})
		numbered(t, pool, len(begun), func(i int, result *Result, err error) {
			var death *DeathError
			switch {
			case i%10 == 0 && !errors.As(err, &death):
				t.Errorf("call %d, which killed its worker: %v, %v", i, result, err)
			case i%10 != 0 && (err != nil || string(result.Body) != fmt.Sprint(i)):
				t.Errorf("call %d: %v, %v", i, result, err)
			}
			if n := begun[i].Load(); n != 1 {
				t.Errorf("call %d was begun %d times", i, n)
			}
		})
		if starter.together < 2 {
			t.Error("no calls were sent together")
		}
	})
}

func TestCallsBehindOneThatWaitsAreServedElsewhereAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := shortly(t, fakeConfig(16, 1), nil)
		starter.mu.Lock()
		starter.waits = func(inv *Invocation) bool { return inv.ID == "7" }
		starter.serve = func(c *fakeChild, inv *Invocation) (*Result, bool, error) {
			if inv.ID == "7" {
				slow := *inv
				slow.Code = "10s"
				inv = &slow
			}
			result, reusable, err := computing(time.Microsecond)(c, inv)
			return result, reusable, err
		}
		starter.mu.Unlock()
		for range 2 * serviceCalls { // what was learnt before told nothing of the processor
			answered(t, pool, invocation("a/1", "1ms"))
		}
		began := time.Now()
		numbered(t, pool, 64, func(i int, _ *Result, err error) {
			if took := time.Since(began); err != nil || i != 7 && took > time.Second {
				t.Errorf("call %d took %v: %v", i, took, err)
			}
		})
	})
}

func TestCallsThatWereSentTogetherAreAnsweredAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _ := shortly(t, fakeConfig(2, 1), computing(time.Microsecond))
		var all sync.WaitGroup
		all.Go(func() {
			numbered(t, pool, 40, func(i int, _ *Result, err error) {
				if err != nil && !errors.Is(err, ErrClosed) {
					t.Errorf("call %d: %v", i, err)
				}
			})
		})
		synctest.Wait()
		time.Sleep(2500 * time.Microsecond)
		if err := pool.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		all.Wait()
	})
}
