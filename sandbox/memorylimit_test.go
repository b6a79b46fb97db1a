package sandbox

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestWithoutMemoryThereAreNoMoreWorkersThanMayCompute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 100, 8, 1)
		starter.left.Store(1000/scarcePart - 1)
		hold(t, pool, 50, "a", "3s")
		time.Sleep(time.Second)
		if s := pool.Snapshot().Pool; s.Busy > 8 || starter.mostAlive() > 8 {
			t.Errorf("where memory is scarce: %+v, %d lived", s, starter.mostAlive())
		}
		time.Sleep(time.Minute)
		if s := pool.Snapshot().Pool; s.Queued != 0 {
			t.Errorf("%d calls still wait", s.Queued)
		}
		starter.left.Store(1000)
		hold(t, pool, 50, "a", "3s")
		time.Sleep(time.Second)
		if s := pool.Snapshot().Pool; s.Busy != 50 {
			t.Errorf("with memory again: %+v", s)
		}
		time.Sleep(time.Minute)
	})
}

func TestMemoryThatBecomesScarceStopsTheGrowthButNotTheReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 200, 16, 4)
		hold(t, pool, 40, "a", "1m")
		time.Sleep(time.Second)
		starter.left.Store(1000/scarcePart - 1)
		time.Sleep(time.Second)
		before := pool.Snapshot().Pool
		hold(t, pool, 40, "a/more", "1m")
		time.Sleep(time.Second)
		if s := pool.Snapshot().Pool; s.Busy > before.Busy+before.Prewarmed || s.Queued == 0 {
			t.Errorf("before %+v, after %+v", before, s)
		}
		for i := range 3 {
			began := time.Now()
			answered(t, pool, invocation(fmt.Sprintf("b%d/f", i), "1ms"))
			if took := time.Since(began); took > 20*time.Millisecond {
				t.Errorf("a call of a namespace without workers took %v", took)
			}
		}
		time.Sleep(3 * time.Minute)
	})
}

func TestIdleWorkersEndWhereMemoryIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 200, 8, 1)
		hold(t, pool, 100, "a", "1s")
		time.Sleep(10 * time.Second)
		if s := pool.Snapshot().Pool; s.Idle < 100 {
			t.Fatalf("%d idle workers after a hundred calls", s.Idle)
		}
		starter.left.Store(1000/scarcePart - 1)
		time.Sleep(10 * time.Second)
		if s := pool.Snapshot().Pool; s.Idle < 100 {
			t.Errorf("%d idle workers are left where memory is merely scarce", s.Idle)
		}
		starter.left.Store(1000/shortPart - 1)
		time.Sleep(10 * time.Second)
		if s := pool.Snapshot().Pool; s.Idle+s.Prewarmed > 8 {
			t.Errorf("where memory is short: %+v", s)
		}
		for i := range 20 { // and all goes on
			answered(t, pool, invocation(fmt.Sprintf("b/%d", i), "1ms"))
		}
	})
}

func TestWorkAfterAnswersEndsWhereMemoryIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 200, 8, 1)
		starter.leaveWork(t, pool)
		callMany(t, pool, 100, "late/f", "1s")
		if s := pool.Snapshot().Pool; s.Late != 100 {
			t.Fatalf("%+v after a hundred calls that leave work", s)
		}
		starter.left.Store(1000/scarcePart - 1)
		time.Sleep(10 * time.Second)
		if s := pool.Snapshot().Pool; s.Late != 100 {
			t.Errorf("where memory is merely scarce: %+v", s)
		}
		starter.left.Store(1000/shortPart - 1)
		time.Sleep(time.Second)
		if s := pool.Snapshot().Pool; s.Late+s.Prewarmed > 8 {
			t.Errorf("where memory is short: %+v", s)
		}
	})
}
