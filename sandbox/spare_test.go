package sandbox

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func withSpare(n int) func(*Config) { return func(c *Config) { c.Spare = n } }

func TestSpareWorkersAreStartedOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(16, 2)
		cfg.Spare = 3
		pool := fakePool(t, cfg, &fakeStarter{startTime: 10 * time.Millisecond})
		// The first worker is there; the second takes 10 ms. A pause of nine starts is before each start of a spare one.
		for _, row := range []struct {
			at   time.Duration
			want int
		}{{9, 1}, {11, 2}, {109, 2}, {111, 3}, {209, 3}, {211, 4}, {311, 5}, {10_000, 5}} {
			time.Sleep(time.Until(synctestStart.Add(10*time.Millisecond + row.at*time.Millisecond)))
			synctest.Wait()
			if s := pool.Snapshot().Pool; s.Prewarmed != row.want {
				t.Errorf("after %d ms: %+v, want %d ready", row.at, s, row.want)
			}
		}
	})
}

// synctestStart is when the time of each bubble begins.
var synctestStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func TestABurstOfFirstCallsHasTheSpareWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 400, 8, 1, withSpare(100))
		time.Sleep(5 * time.Second)
		hold(t, pool, 102, "a/sleep", "3s")
		time.Sleep(90 * time.Millisecond)
		if s := pool.Snapshot().Pool; s.Busy != 102 || starter.mostAlive() > 102+90/(1+spareRest)+startsAtOnce() {
			t.Errorf("102 calls at once: %+v, and %d workers lived", s, starter.mostAlive())
		}
		time.Sleep(5 * time.Second)
		if s := pool.Snapshot().Pool; s.Prewarmed != 102 || s.Idle < 102 {
			t.Errorf("a while after the burst: %+v", s)
		}
	})
}

func TestSpareWorkersWaitForProcessors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _ := growingPool(t, 400, 64, 1, withSpare(10))
		processors := pool.scheduler.processors
		hold(t, pool, processors, "a/spin", "1m")
		time.Sleep(30 * time.Second)
		if s := pool.Snapshot().Pool; s.Prewarmed > 2 {
			t.Errorf("while calls compute on all processors: %+v", s)
		}
		time.Sleep(time.Minute)
		if s := pool.Snapshot().Pool; s.Prewarmed != 12 {
			t.Errorf("afterwards: %+v", s)
		}
	})
}

func TestSpareWorkersDoNotEndForTheirIdleness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 400, 8, 1, withSpare(10))
		time.Sleep(time.Hour)
		if s := pool.Snapshot().Pool; s.Prewarmed != 12 || len(starter.reasons()) > 0 {
			t.Errorf("after an hour %+v, ended: %v", s, starter.reasons())
		}
	})
}

func TestSpareWorkersEndWhereMemoryIsScarceAndReturnLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 400, 8, 1, withSpare(100))
		time.Sleep(10 * time.Second)
		hold(t, pool, 20, "a", "1s")
		time.Sleep(5 * time.Second)
		before := pool.Snapshot().Pool
		if before.Prewarmed != 102 || before.Idle != 20 {
			t.Fatalf("%+v", before)
		}
		starter.left.Store(1000/scarcePart - 1)
		time.Sleep(time.Second)
		if s := pool.Snapshot().Pool; s.Prewarmed != 2 || s.Idle != 20 {
			t.Errorf("where memory is scarce: %+v", s)
		}
		starter.left.Store(1000)
		time.Sleep(spareMemoryPause - time.Second)
		if s := pool.Snapshot().Pool; s.Prewarmed != 2 {
			t.Errorf("soon after it was: %+v", s)
		}
		time.Sleep(10 * time.Second)
		if s := pool.Snapshot().Pool; s.Prewarmed != 102 {
			t.Errorf("later: %+v", s)
		}
	})
}

// sparePools are two pools of one budget, the first that of the first runtime, with 18 workers in all, 8 of them spare.
func sparePools(t *testing.T) (first, second *runtimePool) {
	b := newBudget()
	var pools []*runtimePool
	for i := range 2 {
		cfg := fakeConfig(18, 1)
		cfg.Spare, cfg.later = 8, i > 0
		pool, err := newPool(t.Context(), cfg, &fakeStarter{startTime: time.Millisecond}, b)
		if err != nil {
			t.Fatal(err)
		}
		pools = append(pools, pool)
		t.Cleanup(func() {
			if err := pool.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return pools[0], pools[1]
}

func TestSpareWorkersGoBeforeIdleOnesOfOtherRuntimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := sparePools(t)
		for i := range 4 {
			answered(t, first, invocation(fmt.Sprint("a/", i), "1ms"))
		}
		time.Sleep(10 * time.Second)
		if s := first.Snapshot().Pool; s.Prewarmed != 9 || s.Idle != 4 {
			t.Fatalf("%+v", s)
		}
		hold(t, second, 8, "c", "1s") // 14 of 18 workers live, one of them the second's own
		time.Sleep(500 * time.Millisecond)
		if s := second.Snapshot().Pool; s.Busy != 8 {
			t.Errorf("calls of the other runtime: %+v", s)
		}
		if s := first.Snapshot().Pool; s.Prewarmed > 6 || s.Idle != 4 {
			t.Errorf("the pool with spare workers: %+v", s)
		}
		time.Sleep(time.Second)
	})
}

func TestSpareWorkersWaitForTheCallsOfOtherRuntimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := sparePools(t)
		answered(t, first, invocation("a/f", "1ms"))
		answered(t, second, invocation("b/f", "1ms"))
		time.Sleep(10 * time.Second) // five are ready for each
		synctest.Wait()
		second.scheduler.starter.(*fakeStarter).startTime = 20 * time.Second
		lose := func(p *runtimePool, n int) {
			p.scheduler.mu.Lock()
			defer p.scheduler.mu.Unlock()
			for range n {
				p.scheduler.retirePrewarmedLocked(ReasonIdle)
			}
		}
		lose(second, 5)
		hold(t, second, 1, "c", "1s") // waits for a start
		time.Sleep(time.Second)
		lose(first, 1)
		time.Sleep(5 * time.Second)
		if a, b := first.Snapshot().Pool, second.Snapshot().Pool; a.Prewarmed != 4 || b.Queued != 1 {
			t.Errorf("while a call waits: %+v, %+v", a, b)
		}
		time.Sleep(5 * time.Minute) // starts of both pools take 20 seconds, one after the other
		if s := first.Snapshot().Pool; s.Prewarmed != 5 {
			t.Errorf("when it has its answer: %+v", s)
		}
	})
}

func TestSpareWorkersAreWhereFunctionsAreFirstCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := sparePools(t)
		check := func(when string, ofFirst, ofSecond int) {
			t.Helper()
			time.Sleep(10 * time.Second)
			synctest.Wait()
			a, b := first.Snapshot().Pool.Prewarmed, second.Snapshot().Pool.Prewarmed
			if a != 1+ofFirst || b != 1+ofSecond {
				t.Errorf("%s: %d and %d are ready, want 1 more than %d and %d", when, a, b, ofFirst, ofSecond)
			}
		}
		check("before any call", 8, 0)
		answered(t, second, invocation("b/f", "1ms"))
		check("after one on the second", 0, 8)
		answered(t, first, invocation("a/f", "1ms"))
		check("after one on each", 4, 4)
		answered(t, second, invocation("b/f", "1ms"))
		check("after one that had a worker", 4, 4)
		time.Sleep(second.cfg.IdleTimeout - 45*time.Second)
		answered(t, first, invocation("a/g", "1ms"))
		time.Sleep(30 * time.Second)
		check("when the first was in use alone", 8, 0)
		time.Sleep(time.Hour)
		check("when none was for long", 8, 0)
	})
}

func TestSpareWorkersReturnToAnIdleServerAfterMemoryWasScarce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 400, 8, 1, withSpare(100))
		time.Sleep(10 * time.Second)
		starter.left.Store(1000/scarcePart - 1)
		time.Sleep(2 * spareMemoryCheck)
		if s := pool.Snapshot().Pool; s.Prewarmed != 2 {
			t.Errorf("where memory is scarce: %+v", s)
		}
		starter.left.Store(1000)
		time.Sleep(spareMemoryPause + 10*time.Second)
		if s := pool.Snapshot().Pool; s.Prewarmed != 102 {
			t.Errorf("later: %+v", s)
		}
	})
}

func TestSpareWorkersAreNotTheReasonThatMemoryIsScarce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 400, 8, 1, withSpare(100))
		starter.left.Store(1000 / 8 * spareMemory)
		time.Sleep(time.Minute)
		all := pool.Snapshot().Pool.Prewarmed
		starter.left.Store(1000/8*spareMemory - 1)
		starter.child(0).kill(ReasonIdle)
		time.Sleep(time.Hour)
		if s := pool.Snapshot().Pool; all != 102 || s.Prewarmed != 101 || len(starter.reasons()) != 1 {
			t.Errorf("%d ready with enough memory; an hour with less %+v, ended: %v", all, s, starter.reasons())
		}
	})
}

func TestSpareWorkersGiveNoRoomWhereMemoryIsScarce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 400, 8, 1, withSpare(100))
		time.Sleep(10 * time.Second)
		hold(t, pool, 10, "b", "1m")
		time.Sleep(100 * time.Millisecond)
		starter.left.Store(1000/scarcePart - 1)
		time.Sleep(time.Second)
		hold(t, pool, 150, "a", "1s")
		time.Sleep(5 * time.Second)
		if s := pool.Snapshot().Pool; s.Busy+s.Idle+s.Prewarmed > 10+2+1 {
			t.Errorf("memory was scarce with 12 workers and a reserve of one: %+v", s)
		}
		time.Sleep(2 * time.Minute)
	})
}

func TestSpareWorkersAreStartedWhileCallsOnlyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _ := growingPool(t, 400, 64, 1, withSpare(10))
		hold(t, pool, pool.scheduler.processors, "a/sleep", "10m")
		time.Sleep(time.Minute)
		if s := pool.Snapshot().Pool; s.Prewarmed != 12 {
			t.Errorf("while as many calls wait as there are processors: %+v", s)
		}
		time.Sleep(10 * time.Minute)
	})
}

func TestSpareWorkersMakeRoomForOnesThatAreKeptReadyElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := sparePools(t)
		time.Sleep(10 * time.Second)
		hold(t, second, 9, "c", "1m") // no slot is free any more
		time.Sleep(time.Second)
		a, b := first.Snapshot().Pool, second.Snapshot().Pool
		if a.Prewarmed != 8 || b.Prewarmed != 1 || b.Busy != 9 {
			t.Errorf("beside spare workers: %+v, %+v", a, b)
		}
		time.Sleep(time.Minute)
	})
}

// startSlowly has each worker from now on take a while to start.
func startSlowly(p *runtimePool) {
	synctest.Wait()
	p.scheduler.starter.(*fakeStarter).startTime = 50 * time.Millisecond
}

func TestOneSpareWorkerIsStartedAtATimeOfAllRuntimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := sparePools(t)
		for _, p := range []*runtimePool{first, second} {
			startSlowly(p)
			answered(t, p, invocation("a/f", "1ms"))
		}
		time.Sleep(time.Second) // both are ready again
		most := 0
		for range 5000 {
			time.Sleep(time.Millisecond)
			most = max(most, first.Snapshot().Pool.Starting+second.Snapshot().Pool.Starting)
		}
		if most != 1 {
			t.Errorf("%d were starting at a time", most)
		}
	})
}

func TestSpareIsWithinSize(t *testing.T) {
	for spare, sound := range map[int]bool{-1: false, 0: true, 6: true, 7: false} {
		cfg := fakeConfig(8, 2)
		if cfg.Spare = spare; (cfg.Validate() == nil) != sound {
			t.Errorf("Spare %d of 8 with 2 prewarmed: %v", spare, cfg.Validate())
		}
	}
}

// anew starts workers without a fork server.
type anew struct{ *fakeStarter }

func (anew) method() StartMethod { return StartMethod{} }

func TestWorkersThatAreNotForkedAreNotSpare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(16, 2)
		cfg.Spare = 8
		pool, err := newPool(t.Context(), cfg, anew{&fakeStarter{}}, newBudget())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if s := pool.Snapshot().Pool; s.Prewarmed != 2 {
			t.Errorf("%+v", s)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestASpareWorkerThatStartsDelaysNoCallOfAnotherRuntime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := sparePools(t)
		answered(t, second, invocation("b/f", "1ms")) // so that both have spare workers
		answered(t, first, invocation("a/f", "1ms"))
		time.Sleep(10 * time.Second)
		startSlowly(first)
		first.scheduler.mu.Lock()
		first.scheduler.retirePrewarmedLocked(ReasonIdle)
		first.scheduler.mu.Unlock()
		for range 1000 {
			if time.Sleep(time.Millisecond); first.Snapshot().Pool.Starting > 0 {
				break
			}
		}
		if s := first.Snapshot().Pool; s.Starting != 1 {
			t.Fatalf("no spare worker starts: %+v", s)
		}
		hold(t, second, 18, "c", "1m") // the last has the slot of the one that starts
		time.Sleep(100 * time.Millisecond)
		if s := second.Snapshot().Pool; s.Busy != 18 {
			t.Errorf("18 calls at once: %+v", s)
		}
		time.Sleep(2 * time.Minute)
	})
}

func TestShortCallsHaveASecondWorkerAmongSpareOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := sparePools(t)
		for range 50 {
			answered(t, first, invocation("a/f", "900us"))
		}
		time.Sleep(10 * time.Second)
		hold(t, second, 8, "c", "1m") // no slot is free any more
		time.Sleep(time.Second)
		if s := first.Snapshot().Pool; s.Idle != 1 || s.Prewarmed < 2 || first.scheduler.freeLocked() > 0 {
			t.Fatalf("%+v, %d free", s, first.scheduler.freeLocked())
		}
		if took := callMany(t, first, 2, "a/f", "900us"); took > time.Millisecond {
			t.Errorf("two calls at once took %v", took)
		}
		time.Sleep(2 * time.Minute)
	})
}

func TestARuntimeThatEndsHasNoShareOfSpareWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := sparePools(t)
		answered(t, first, invocation("a/f", "1ms"))
		hold(t, second, 1, "b", "1m")
		time.Sleep(10 * time.Second)
		var ending sync.WaitGroup
		ending.Go(func() { _ = second.Shutdown(t.Context()) })
		time.Sleep(10 * time.Second)
		if s := first.Snapshot().Pool; s.Prewarmed != 9 {
			t.Errorf("while a call on the other one goes on: %+v", s)
		}
		ending.Wait()
	})
}

// counting counts the looks at the memory.
type counting struct {
	pausingStarter

	looks *atomic.Int64
}

func (s counting) memoryLeft() (int64, bool) {
	s.looks.Add(1)
	return s.pausingStarter.memoryLeft()
}

func TestMemoryIsSeldomLookedAtForSpareWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := counting{pausingStarter{sharedStarter{&fakeStarter{}}, new(atomic.Int64)}, new(atomic.Int64)}
		cfg := fakeConfig(400, 2)
		cfg.Active, cfg.Memory, cfg.Spare = 8, 1000, 100
		starter.left.Store(cfg.Memory)
		pool, err := newPool(t.Context(), cfg, starter, newBudget())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		before := starter.looks.Load()
		time.Sleep(time.Minute)
		n := starter.looks.Load() - before
		if s := pool.Snapshot().Pool; s.Prewarmed != 102 || n < 1 || n > int64(time.Minute/spareMemoryCheck) {
			t.Errorf("%d looks in a minute, %+v", n, s)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
}
