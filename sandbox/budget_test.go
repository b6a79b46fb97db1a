package sandbox

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// twoPools are pools of two runtimes on one starter, which checks that both together have no more workers than they
// may.
func twoPools(t *testing.T, cfg Config) (first, second *runtimePool, starter *fakeStarter) {
	t.Helper()
	starter = &fakeStarter{startTime: 5 * time.Millisecond, reapTime: time.Millisecond}
	shared := newBudget()
	var pools []*runtimePool
	for range 2 {
		pool, err := newPool(t.Context(), cfg, sharedStarter{starter}, shared)
		if err != nil {
			t.Fatal(err)
		}
		pools = append(pools, pool)
	}
	t.Cleanup(func() {
		for _, pool := range pools {
			if err := pool.Close(); err != nil {
				t.Error(err)
			}
		}
		if starter.most > cfg.Size || starter.alive != 0 || len(starter.mixed) > 0 {
			t.Errorf("%d workers lived at once, %d are allowed; %d are left; %v",
				starter.most, cfg.Size, starter.alive, starter.mixed)
		}
	})
	return pools[0], pools[1], starter
}

// sharedStarter may be closed by several.
type sharedStarter struct{ *fakeStarter }

func (sharedStarter) close() error { return nil }

func TestRuntimesShareOneBudgetOfWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(8, 1)
		cfg.QueueTimeout = time.Hour
		first, second, starter := twoPools(t, cfg)
		for i := range 20 { // leaves idle workers everywhere
			answered(t, first, invocation(fmt.Sprint("a/", i), "1ms"))
		}
		for i := range 20 {
			answered(t, second, invocation(fmt.Sprint("b/", i), "1ms"))
		}
		hold(t, first, 8, "a", "1m")
		time.Sleep(time.Second)
		if n := serving(first)["a"]; n != 8 {
			t.Errorf("a runtime that alone is wanted has %d of 8 workers, %d live", n, starter.alive)
		}
		time.Sleep(time.Hour)
		hold(t, first, 8, "a", "10s")
		hold(t, second, 8, "b", "10s")
		time.Sleep(15 * time.Second)
		hold(t, first, 8, "a", "10s")
		time.Sleep(time.Second)
		if a, b := serving(first)["a"], serving(second)["b"]; a+b > 8 || b == 0 {
			t.Errorf("the runtimes have %d and %d of 8 workers", a, b)
		}
		time.Sleep(time.Hour)
	})
}

func TestReserveIsForGroupsThatHoldNoneOfAnyRuntime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second, _ := twoPools(t, sharedConfig(8, 1, 2))
		hold(t, first, 20, "a", "5s")
		hold(t, second, 20, "a", "5s")
		time.Sleep(time.Second)
		if n := serving(first)["a"] + serving(second)["a"]; n != 6 {
			t.Errorf("one group holds %d of 8 workers in two runtimes", n)
		}
		for _, pool := range []*runtimePool{second, first} {
			for i := range 5 {
				began := time.Now()
				answered(t, pool, invocation(fmt.Sprint("b/", i), "1ms"))
				if took := time.Since(began); took > 20*time.Millisecond {
					t.Errorf("a call of another group took %v", took)
				}
			}
		}
		time.Sleep(time.Hour)
	})
}

func TestPoorerGroupOfAnotherRuntimeGetsWhatComesFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second, _ := twoPools(t, sharedConfig(10, 1, 2))
		end := time.Now().Add(2 * time.Second)
		for range 20 { // each finds an idle worker of its function as soon as one ends
			go func() {
				for time.Now().Before(end) && answered(t, first, invocation("a/f", "20ms")) != "" {
				}
			}()
		}
		time.Sleep(500 * time.Millisecond)
		hold(t, second, 3, "b", "1m")
		time.Sleep(time.Second)
		if n := serving(second)["b"]; n != 3 {
			t.Errorf("the poorer group has %d of the 3 workers that it wants", n)
		}
		time.Sleep(3 * time.Minute)
	})
}

func TestFullQueueOfAllRuntimesMakesRoomForThoseWithFewWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(2, 0)
		cfg.QueueSize, cfg.QueueTimeout = 10, time.Hour
		first, second, _ := twoPools(t, cfg)
		time.Sleep(time.Second)
		hold(t, first, 1, "first", "10m")
		hold(t, second, 1, "second", "10m")
		refused := make(chan error, 100)
		wait := func(pool *runtimePool, key string) {
			go func() {
				_, err := pool.Invoke(context.WithoutCancel(t.Context()), invocation(key, "1ms"))
				refused <- err
			}()
			synctest.Wait()
		}
		for i := range 10 { // of one group, of which no runtime has more than half
			wait([]*runtimePool{first, second}[i%2], fmt.Sprint("a/", i))
		}
		for _, row := range []struct {
			pool                   *runtimePool
			key, want              string
			mostQueued, refusedNow int
		}{
			{first, "a/new", "a5 b0, a5 b0", 10, 1},
			{second, "a/new", "a5 b0, a5 b0", 10, 1},
			{first, "b/1", "a4 b1, a5 b0", 9, 1},
			{first, "b/2", "a4 b2, a4 b0", 8, 1},
			{second, "b/3", "a3 b2, a4 b1", 7, 1},
			{second, "b/4", "a3 b2, a3 b2", 6, 1},
			{first, "b/5", "a2 b3, a3 b2", 5, 1},
			{first, "b/6", "a2 b3, a3 b2", 5, 1},
			{second, "a/1", "a2 b3, a3 b2", 5, 1},
		} {
			wait(row.pool, row.key)
			got := fmt.Sprintf("a%d b%d, a%d b%d",
				queued(first, "a"), queued(first, "b"), queued(second, "a"), queued(second, "b"))
			most := first.Snapshot().Pool.MostQueued
			if got != row.want || most != row.mostQueued || len(refused) != row.refusedNow {
				t.Errorf("after %s: %s wait, %d at most, %d were refused, want %+v", row.key, got, most, len(refused), row)
			}
			for len(refused) > 0 {
				var busy *BusyError
				if err := <-refused; !errors.As(err, &busy) || busy.Cause != BusyQueueFull {
					t.Errorf("refused with %v", err)
				}
			}
		}
		time.Sleep(time.Hour)
	})
}

// queued is how many calls of group wait in p.
func queued(p *runtimePool, group string) int {
	p.scheduler.mu.Lock()
	defer p.scheduler.mu.Unlock()
	if g := p.scheduler.queue.groups.members[group]; g != nil {
		return g.n
	}
	return 0
}

func TestGroupIsOwedNoMoreForWaitingInTwoRuntimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{startTime: 100 * time.Millisecond, reapTime: time.Millisecond}
		cfg := sharedConfig(24, 0, 0)
		shared := newBudget()
		var pools []*runtimePool
		for range 2 {
			pool, err := newPool(t.Context(), cfg, sharedStarter{starter}, shared)
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			pools = append(pools, pool)
		}
		hold(t, pools[0], 5, "rich", "1m")
		time.Sleep(time.Second)
		for _, pool := range pools { // whose workers are only being started
			hold(t, pool, 8, "poor", "1m")
		}
		pools[0].scheduler.mu.Lock()
		owed := pools[0].scheduler.budget.owedLocked(5)
		pools[0].scheduler.mu.Unlock()
		if owed != 4 { // beside its first one, so that both have five
			t.Errorf("a group that holds none and waits in two runtimes is owed %d workers before one that holds five", owed)
		}
		time.Sleep(3 * time.Minute)
	})
}

func TestMoreRuntimesThanWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(1, 1)
		shared := newBudget()
		starter := &fakeStarter{startTime: 5 * time.Millisecond, reapTime: time.Millisecond}
		var pools []*runtimePool
		for range 3 {
			pool, err := newPool(t.Context(), cfg, sharedStarter{starter}, shared)
			if err != nil {
				t.Fatal(err)
			}
			pools = append(pools, pool)
		}
		time.Sleep(time.Second)
		if starter.alive > 1 {
			t.Errorf("%d workers live, one is allowed", starter.alive)
		}
		for i := range 9 {
			answered(t, pools[i%3], invocation(fmt.Sprint("a/", i), "1ms"))
			if err := pools[i%3].Snapshot().Err; err != nil && !errors.Is(err, ErrWarming) {
				t.Error(err)
			}
		}
		for _, pool := range pools {
			if err := pool.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
