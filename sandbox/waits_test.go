package sandbox

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pausing is a child whose calls wait without a processor, but for those of functions named spin…, which compute.
type pausing struct {
	*fakeChild
	born time.Time
}

func (c *pausing) computes() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Contains(c.key, "/spin")
}

func (c *pausing) cpuUsed() time.Duration {
	if c.computes() {
		return time.Millisecond + time.Since(c.born)
	}
	return time.Millisecond
}

func (c *pausing) asleep() bool { return !c.computes() }

func (c *pausing) weigh(int) {}

// pausingStarter makes them, and tells how much memory is left.
type pausingStarter struct {
	sharedStarter
	left *atomic.Int64
}

func (s pausingStarter) start(ctx context.Context) (child, error) {
	c, err := s.fakeStarter.start(ctx)
	if err != nil {
		return nil, err
	}
	return &pausing{c.(*fakeChild), time.Now()}, nil
}

func (s pausingStarter) memoryLeft() (int64, bool) { return s.left.Load(), true }

// growingPool may have size workers, of which active may compute.
func growingPool(t *testing.T, size, active, reserve int, changes ...func(*Config)) (*runtimePool, pausingStarter) {
	t.Helper()
	starter := pausingStarter{sharedStarter{&fakeStarter{
		startTime: time.Millisecond, reapTime: time.Millisecond, waits: func(*Invocation) bool { return true },
		serve: func(c *fakeChild, inv *Invocation) (*Result, bool, error) {
			result, reusable, err := c.work(context.Background(), inv)
			if result != nil && !strings.Contains(inv.Key, "/spin") {
				result.CPU, result.waited = time.Microsecond, true
			}
			return result, reusable, err
		},
	}}, new(atomic.Int64)}
	cfg := fakeConfig(size, 2)
	cfg.Active, cfg.Reserve, cfg.Memory = active, reserve, 1000
	starter.left.Store(cfg.Memory)
	for _, change := range changes {
		change(&cfg)
	}
	pool, err := newPool(t.Context(), cfg, starter, newBudget())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		if starter.mostAlive() > size {
			t.Errorf("%d workers lived at once, %d are allowed", starter.mostAlive(), size)
		}
	})
	return pool, starter
}

// callMany makes n calls of key at once, and returns how long the slowest took.
func callMany(t *testing.T, p *runtimePool, n int, key, takes string) time.Duration {
	t.Helper()
	began := time.Now()
	var all sync.WaitGroup
	for range n {
		all.Go(func() { answered(t, p, invocation(key, takes)) })
	}
	all.Wait()
	return time.Since(began)
}

func TestCallsThatWaitHaveAsManyWorkersAsThereIsRoomFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 400, 8, 1)
		if took := callMany(t, pool, 300, "a/sleep", "3s"); took > 4*time.Second {
			t.Errorf("300 calls that wait for three seconds took %v", took)
		}
		if starter.mostAlive() < 300 {
			t.Errorf("%d workers for 300 calls", starter.mostAlive())
		}
		if took := callMany(t, pool, 300, "a/sleep", "3s"); took > 3100*time.Millisecond {
			t.Errorf("300 calls of a function that is known to wait took %v on %d idle workers", took, pool.Snapshot().Pool.Idle)
		}
		synctest.Wait()
		if s := pool.Snapshot().Pool; s.Waiting != 0 || s.Busy != 0 || s.Idle < 300 {
			t.Errorf("at rest: %+v", s)
		}
		pool.scheduler.mu.Lock()
		if h := &pool.scheduler.budget.shares; h.active.total != 0 || h.serving.total != 0 {
			t.Errorf("at rest %d workers count as active, %d as serving", h.active.total, h.serving.total)
		}
		pool.scheduler.mu.Unlock()
	})
}

func TestCallsThatComputeHaveNoMoreWorkersThanMayCompute(t *testing.T) {
	for name, group := range map[string]func(i int) string{
		"one namespace":   func(int) string { return "a" },
		"many namespaces": func(i int) string { return fmt.Sprint("n", i) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool, starter := growingPool(t, 400, 8, 1)
				var all sync.WaitGroup
				for i := range 60 {
					all.Go(func() {
						_, _ = pool.Invoke(context.WithoutCancel(t.Context()), invocation(fmt.Sprintf("%s/spin%d", group(i), i), "1s"))
					})
				}
				time.Sleep(900 * time.Millisecond)
				if s := pool.Snapshot().Pool; s.Busy > 8 || starter.mostAlive() > 8+2 { // the kept ones beside
					t.Errorf("calls that compute have %d workers, %d live", s.Busy, starter.mostAlive())
				}
				all.Wait()
			})
		})
	}
}

func TestACallThatComputesAfterItWaitedCountsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 100, 4, 1)
		for range serviceCalls {
			answered(t, pool, invocation("a/sleep", "1s"))
		}
		hold(t, pool, 1, "a", "1ms") // other functions are not known
		for range 20 {
			go func() { _, _ = pool.Invoke(context.WithoutCancel(t.Context()), invocation("a/sleep", "10s")) }()
		}
		time.Sleep(time.Second)
		if s := pool.Snapshot().Pool; s.Waiting != 20 {
			t.Fatalf("%d of 20 calls are known to wait", s.Waiting)
		}
		starter.mu.Lock()
		for _, c := range starter.children { // from now on they compute
			c.mu.Lock()
			c.key = "a/spin"
			c.mu.Unlock()
		}
		starter.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
		if s := pool.Snapshot().Pool; s.Waiting != 0 || s.Busy != 20 {
			t.Errorf("20 calls compute, %d are taken to wait: %+v", s.Waiting, s)
		}
		time.Sleep(time.Minute)
	})
}

func TestOthersHaveWorkersBesideCallsThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _ := growingPool(t, 64, 8, 2)
		hold(t, pool, 100, "a", "5s")
		time.Sleep(time.Second)
		if s := pool.Snapshot().Pool; s.Busy != 64-2*64/8 || s.Waiting != s.Busy {
			t.Errorf("one namespace has all but the reserve: got %+v", s)
		}
		for i := range 6 {
			began := time.Now()
			answered(t, pool, invocation(fmt.Sprint("b/spin", i), "1ms"))
			if took := time.Since(began); took > 10*time.Millisecond {
				t.Errorf("a call of another namespace took %v", took)
			}
		}
		time.Sleep(time.Minute)
	})
}

func TestCallsThatWaitAreServedBesideANamespaceThatComputes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _ := growingPool(t, 400, 8, 1)
		for i := range 200 {
			go func() {
				_, _ = pool.Invoke(context.WithoutCancel(t.Context()), invocation(fmt.Sprint("burn/spin", i%20), "200ms"))
			}()
		}
		time.Sleep(100 * time.Millisecond)
		if took := callMany(t, pool, 50, "a/sleep", "1s"); took > 6*time.Second {
			t.Errorf("50 calls that wait for a second took %v", took)
		}
		time.Sleep(time.Minute)
	})
}

func TestExpectedWaitRefusesNoCallsThatOnlyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _ := growingPool(t, 400, 4, 1)
		for range 2 * serviceCalls {
			answered(t, pool, invocation("a/sleep", "30s"))
		}
		if took := callMany(t, pool, 300, "a/sleep", "30s"); took > 31*time.Second { // by their time alone they would wait for 37 minutes
			t.Errorf("300 calls took %v", took)
		}
	})
}

func TestPoolOfFixedSizeHasNoCallsThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 8, 8, 1)
		hold(t, pool, 20, "a", "5s")
		time.Sleep(time.Second)
		if s := pool.Snapshot().Pool; s.Busy != 7 || s.Waiting != 0 || starter.mostAlive() > 8 {
			t.Errorf("of 8 workers: %+v", s)
		}
		time.Sleep(time.Minute)
	})
}
