package sandbox

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// computing serves calls as fakeChild does, and says that they have used the processor for so long.
func computing(cpu time.Duration) func(c *fakeChild, inv *Invocation) (*Result, bool, error) {
	return func(c *fakeChild, inv *Invocation) (*Result, bool, error) {
		result, reusable, err := c.work(context.Background(), inv)
		if result != nil {
			result.CPU = cpu
		}
		return result, reusable, err
	}
}

// together makes n calls of key at once, each of which takes so long, and returns when all have been answered.
func together(t *testing.T, pool *runtimePool, n int, key, takes string) {
	t.Helper()
	var all sync.WaitGroup
	for range n {
		all.Go(func() { answered(t, pool, invocation(key, takes)) })
	}
	all.Wait()
}

func TestShortFunctionsUseNoMoreWorkersThanKeepTheProcessorsBusy(t *testing.T) {
	for _, row := range []struct {
		name  string
		serve func(c *fakeChild, inv *Invocation) (*Result, bool, error)
		lean  bool
	}{
		{"short", computing(100 * time.Microsecond), true},
		{"long", computing(20 * time.Millisecond), false},
		{"waiting", func(c *fakeChild, inv *Invocation) (*Result, bool, error) {
			result, reusable, err := computing(100*time.Microsecond)(c, inv)
			if result != nil {
				result.waited = true
			}
			return result, reusable, err
		}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			cfg := fakeConfig(32, 2)
			starter := &fakeStarter{serve: row.serve}
			pool := fakePool(t, cfg, starter)
			for range serviceCalls {
				answered(t, pool, invocation("a/1", "1ms"))
			}
			synctest.Wait()
			together(t, pool, 24, "a/1", "1ms")
			synctest.Wait()
			workers := pool.Snapshot().Pool.Idle
			if row.lean && workers > saturation(&cfg) || !row.lean && workers < 24 {
				t.Errorf("%s: %d workers for 24 calls at once", row.name, workers)
			}
		})
	}
}

func TestOthersAreServedWhileAShortFunctionIsHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{startTime: time.Millisecond, serve: computing(time.Microsecond)}
		pool := fakePool(t, fakeConfig(16, 1), starter)
		for range serviceCalls {
			answered(t, pool, invocation("a/1", "1ms"))
		}
		var all sync.WaitGroup
		all.Go(func() { together(t, pool, 200, "a/1", "100ms") })
		synctest.Wait()
		began := time.Now()
		for i := range 8 {
			all.Go(func() { answered(t, pool, invocation(fmt.Sprintf("b/%d", i), "10ms")) })
		}
		synctest.Wait()
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		pool.scheduler.mu.Lock()
		for i := range 8 {
			if key := fmt.Sprintf("b/%d", i); pool.scheduler.queue.has(key) {
				t.Errorf("%s still waits after %v", key, time.Since(began))
			}
		}
		pool.scheduler.mu.Unlock()
		all.Wait()
	})
}

// A function that was short is held back by calls that are not: when they have told, workers that stand idle serve
// those who wait.
func TestHeldCallsGetIdleWorkersWhenTheFunctionIsShortNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(16, 1)
		starter := &fakeStarter{serve: func(c *fakeChild, inv *Invocation) (*Result, bool, error) {
			result, reusable, err := c.work(context.Background(), inv)
			if result != nil && inv.Code == "1ms" {
				result.CPU = time.Microsecond
			}
			return result, reusable, err
		}}
		pool := fakePool(t, cfg, starter)
		together(t, pool, 12, "a/1", "5ms") // long ones: as many workers
		for range 20 * serviceWeight {
			answered(t, pool, invocation("a/1", "1ms"))
		}
		synctest.Wait()
		if got := pool.Snapshot().Pool.Idle; got < 12 {
			t.Fatalf("%d workers stand idle", got)
		}
		began := time.Now()
		together(t, pool, 12, "a/1", "1s")
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("12 calls of a second took %v, as if the function were short", took)
		}
		if pool.Snapshot().Pool.Queued != 0 {
			t.Error("calls still wait")
		}
	})
}

// crowded is a pool of short functions, of which each has a worker and no other can start until one of theirs ends.
// bound says how many workers serve each.
func crowded(t *testing.T, n int) (pool *runtimePool, bound func() map[string]int) {
	t.Helper()
	pool = fakePool(t, fakeConfig(n+1, 1), &fakeStarter{serve: computing(time.Microsecond)})
	pool.scheduler.mu.Lock()
	pool.scheduler.saturation = 2
	pool.scheduler.mu.Unlock()
	for i := range n {
		for range serviceCalls {
			answered(t, pool, invocation(fmt.Sprintf("%d/1", i), "1ms"))
		}
	}
	return pool, func() map[string]int {
		synctest.Wait()
		pool.scheduler.mu.Lock()
		defer pool.scheduler.mu.Unlock()
		return maps.Clone(pool.scheduler.bound)
	}
}

func TestNoFunctionLosesItsWorkerForAFewShortCallsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, bound := crowded(t, 8)
		before := bound()
		for i := range 8 {
			together(t, pool, 3, fmt.Sprintf("%d/1", i), "1ms")
			if got := bound(); !maps.Equal(got, before) {
				t.Errorf("three calls of %d/1 had another worker: %v, before %v", i, got, before)
			}
		}
	})
}

func TestAShortFunctionWhoseWorkerIsNeverFreeHasAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, bound := crowded(t, 8)
		together(t, pool, 60, "0/1", "1ms")
		if got := bound()["0/1"]; got != 2 {
			t.Errorf("%d workers served 60 calls that came at once", got)
		}
	})
}

// A call of a function that was short until now computes for long: who comes next does not wait for it.
func TestOneLongCallOfAShortFunctionHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _ := crowded(t, 8)
		var long sync.WaitGroup
		long.Go(func() { answered(t, pool, invocation("0/1", "1m")) })
		synctest.Wait()
		began := time.Now()
		answered(t, pool, invocation("0/1", "1ms"))
		if took := time.Since(began); took > 2*worthStart {
			t.Errorf("a call of 1 ms waited for %v behind one of a minute", took)
		}
		long.Wait()
	})
}
