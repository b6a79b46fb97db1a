package sandbox

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// sharedConfig is fakeConfig with a reserve.
func sharedConfig(size, prewarmed, reserve int) Config {
	cfg := fakeConfig(size, prewarmed)
	cfg.Reserve = reserve
	return cfg
}

// hold has n calls of different functions of group take a worker, or wait for one, for so long.
func hold(t *testing.T, p *runtimePool, n int, group, takes string) {
	t.Helper()
	for i := range n {
		go func() {
			_, _ = p.Invoke(context.WithoutCancel(t.Context()), invocation(fmt.Sprintf("%s/%d", group, i), takes))
		}()
	}
	synctest.Wait()
}

// serving is how many workers serve each group.
func serving(p *runtimePool) map[string]int {
	p.scheduler.mu.Lock()
	defer p.scheduler.mu.Unlock()
	all := map[string]int{}
	for w := range p.scheduler.workers {
		if w.serving {
			all[w.group]++
		}
	}
	return all
}

func TestOneGroupHasAllButTheReserve(t *testing.T) {
	for _, row := range []struct{ size, prewarmed, reserve, want int }{
		{16, 2, 2, 14}, {16, 0, 2, 14}, {16, 16, 2, 14}, {4, 0, 1, 3}, {2, 0, 1, 1}, {1, 0, 0, 1}, {8, 2, 0, 8},
	} {
		synctest.Test(t, func(t *testing.T) {
			starter := &fakeStarter{startTime: 5 * time.Millisecond, reapTime: time.Millisecond}
			pool := fakePool(t, sharedConfig(row.size, row.prewarmed, row.reserve), starter)
			hold(t, pool, 3*row.size, "a", "5s")
			time.Sleep(time.Second)
			if got := serving(pool)["a"]; got != row.want {
				t.Errorf("%+v: one group alone holds %d workers", row, got)
			}
		})
	}
}

func TestHoldersOfOneGroupLeaveOthersTheirWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{startTime: 5 * time.Millisecond, reapTime: time.Millisecond}
		pool := fakePool(t, sharedConfig(16, 2, 2), starter)
		answered(t, pool, invocation("b/known", "1ms"))
		hold(t, pool, 64, "a", "5s")
		for n := range 200 { // 10 seconds, in which those of a end twice
			began := time.Now()
			start := answered(t, pool, invocation("b/known", "1ms"))
			if took := time.Since(began); start != StartWarm || took != time.Millisecond {
				t.Fatalf("call %d beside holders of another group found a %s worker and took %v", n, start, took)
			}
			time.Sleep(50 * time.Millisecond)
		}
		for i := range 20 { // a function that nobody has called before
			began := time.Now()
			answered(t, pool, invocation(fmt.Sprint("new", i, "/f"), "1ms"))
			if took := time.Since(began); took > 10*time.Millisecond {
				t.Errorf("the first call of a group beside holders of another took %v", took)
			}
		}
		time.Sleep(time.Minute)
	})
}

func TestManyNewFunctionsOfOneGroupLeaveOthersTheirWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{startTime: 5 * time.Millisecond, reapTime: time.Millisecond}
		pool := fakePool(t, sharedConfig(16, 2, 2), starter)
		answered(t, pool, invocation("b/f", "1ms"))
		end := time.Now().Add(2 * time.Second)
		for i := range 64 {
			go func() {
				next := func(n int) StartKind { return answered(t, pool, invocation(fmt.Sprintf("a/%d-%d", i, n), "1ms")) }
				for n := 0; time.Now().Before(end) && next(n) != ""; n++ {
				}
			}()
		}
		for time.Now().Before(end) {
			time.Sleep(100 * time.Millisecond)
			if start := answered(t, pool, invocation("b/f", "1ms")); start != StartWarm {
				t.Fatalf("the worker of another group was evicted: %s", start)
			}
		}
		time.Sleep(time.Minute)
	})
}

func TestWhatComesFreeGoesToTheGroupThatHoldsTheFewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{startTime: 5 * time.Millisecond, reapTime: time.Millisecond}
		pool := fakePool(t, sharedConfig(12, 2, 2), starter)
		for i := range 100 { // its calls end one after the other
			go func() {
				inv := invocation(fmt.Sprint("rich/", i), fmt.Sprint(100+i*10, "ms"))
				_, _ = pool.Invoke(context.WithoutCancel(t.Context()), inv)
			}()
		}
		time.Sleep(50 * time.Millisecond)
		hold(t, pool, 5, "middle", "1m")
		hold(t, pool, 2, "poor", "1m")
		time.Sleep(time.Second)
		rich := 0
		for range 100 { // from the end of a call to the begin of the next, its group has a worker less
			time.Sleep(time.Millisecond)
			synctest.Wait()
			got := serving(pool)
			if got["middle"] != 4 || got["poor"] != 2 || got["rich"] > 4 {
				t.Errorf("of ten workers that are shared: %v", got)
			}
			rich = max(rich, got["rich"])
		}
		if rich != 4 {
			t.Errorf("the group that held most has %d workers", rich)
		}
		time.Sleep(3 * time.Minute)
	})
}

func TestGroupIsOwedWhatIsBeingStartedForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{startTime: 100 * time.Millisecond, reapTime: time.Millisecond}
		pool := fakePool(t, sharedConfig(4, 0, 0), starter)
		end := time.Now().Add(time.Second)
		for range 4 {
			go func() { // has an idle worker at hand each time
				for time.Now().Before(end) {
					_, _ = pool.Invoke(context.WithoutCancel(t.Context()), invocation("a/f", "10ms"))
				}
			}()
		}
		time.Sleep(500 * time.Millisecond)
		hold(t, pool, 2, "b", "1m")
		time.Sleep(400 * time.Millisecond)
		if got := serving(pool); got["b"] != 2 {
			t.Errorf("the poorer group holds %d workers of four and wants two", got["b"])
		}
		time.Sleep(3 * time.Minute)
	})
}

func TestFunctionsOfOneGroupTakeTurnsOnTheWorkersThatItMayHave(t *testing.T) {
	for _, size := range []int{1, 2, 3, 8} {
		for _, prewarmed := range []int{0, 1, 2} {
			synctest.Test(t, func(t *testing.T) {
				starter := &fakeStarter{startTime: 5 * time.Millisecond, reapTime: time.Millisecond}
				pool := fakePool(t, sharedConfig(size, min(prewarmed, size), 1), starter)
				end := time.Now().Add(2 * time.Second)
				for range 20 {
					go func() {
						for time.Now().Before(end) && answered(t, pool, invocation("a/hot", "5ms")) != "" {
						}
					}()
				}
				for time.Now().Before(end) {
					began := time.Now()
					answered(t, pool, invocation("a/rare", "5ms"))
					if took := time.Since(began); took > 200*time.Millisecond {
						t.Errorf("%d workers, %d prewarmed: another function of the group waited for %v", size, prewarmed, took)
					}
					time.Sleep(30 * time.Millisecond)
				}
				time.Sleep(time.Minute)
			})
		}
	}
}

func TestTrialRunsCountAsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{startTime: 5 * time.Millisecond, reapTime: time.Millisecond}
		pool := fakePool(t, sharedConfig(8, 2, 1), starter)
		for i := range 24 {
			go func() {
				inv := invocation(fmt.Sprint("a/", i), "5s")
				inv.Kind = Check
				_, _ = pool.Invoke(context.WithoutCancel(t.Context()), inv)
			}()
		}
		time.Sleep(time.Second)
		if got := serving(pool)["a"]; got != 7 {
			t.Errorf("trial runs of one group hold %d of 8 workers", got)
		}
		began := time.Now()
		answered(t, pool, invocation("b/f", "1ms"))
		if took := time.Since(began); took > 10*time.Millisecond {
			t.Errorf("a call beside them took %v", took)
		}
		time.Sleep(time.Minute)
	})
}

func TestFullQueueMakesRoomForThoseWithFewWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(1, 0)
		cfg.QueueSize, cfg.QueueTimeout = 10, time.Hour
		pool := fakePool(t, cfg, &fakeStarter{})
		hold(t, pool, 1, "first", "10m")
		refused := make(chan error, 100)
		wait := func(key string) {
			go func() {
				_, err := pool.Invoke(context.WithoutCancel(t.Context()), invocation(key, "1ms"))
				refused <- err
			}()
			synctest.Wait()
		}
		waiting := func() string {
			pool.scheduler.mu.Lock()
			defer pool.scheduler.mu.Unlock()
			got := ""
			for _, group := range []string{"a", "b", "c"} {
				if g := pool.scheduler.queue.groups.members[group]; g != nil {
					got += fmt.Sprint(group, g.n, " ")
				}
			}
			return got
		}
		for i := range 10 {
			wait(fmt.Sprint("a/", i))
		}
		for _, row := range []struct {
			key, want string
			refused   int
		}{
			{"a/new", "a10 ", 1},
			{"b/1", "a9 b1 ", 1},
			{"b/1", "a8 b2 ", 1},
			{"b/2", "a7 b3 ", 1},
			{"b/2", "a6 b4 ", 1},
			{"b/1", "a5 b5 ", 1},
			{"b/1", "a5 b5 ", 1},
			{"a/0", "a5 b5 ", 1},
			{"c/1", "a4 b5 c1 ", 1},
			{"c/1", "a4 b4 c2 ", 1},
		} {
			wait(row.key)
			if got := waiting(); got != row.want || len(refused) != row.refused {
				t.Errorf("after %s: %swait, %d refused, want %s", row.key, got, len(refused), row.want)
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

func TestStatsTellOfTheLargestShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := fakePool(t, sharedConfig(8, 0, 1), &fakeStarter{startTime: time.Millisecond})
		hold(t, pool, 10, "a", "1m")
		hold(t, pool, 2, "b", "1m")
		time.Sleep(time.Second)
		if s := pool.Snapshot().Pool; s.Groups != 2 || s.MostHeld != 5 || s.MostQueued != 5 || s.Busy != 7 {
			t.Errorf("got %+v", s)
		}
		time.Sleep(time.Hour)
	})
}
