package sandbox

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestLongestIdleIsEvictedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{reapTime: time.Millisecond}
		pool := fakePool(t, fakeConfig(3, 0), starter)
		for _, key := range []string{"a", "b", "c", "a"} { // b is now the longest idle, then c, then a
			answered(t, pool, invocation(key, "1ms"))
		}
		for _, row := range []struct{ call, evicted string }{{"d", "b"}, {"e", "c"}, {"f", "a"}, {"g", "d"}} {
			answered(t, pool, invocation(row.call, "1ms"))
			synctest.Wait()
			var evicted []string
			for _, c := range starter.children {
				if c.killedFor() == ReasonEvicted {
					evicted = append(evicted, c.key)
				}
			}
			if !slices.Contains(evicted, row.evicted) {
				t.Errorf("%s evicted %v, want %s among them", row.call, evicted, row.evicted)
			}
		}
		if n := len(starter.reasons()); n != 4 {
			t.Errorf("%d workers died for 4 calls", n)
		}
	})
}

func TestNobodyIsEvictedForThePrewarmedReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{}
		pool := fakePool(t, fakeConfig(2, 2), starter)
		synctest.Wait()
		answered(t, pool, invocation("a", "1ms"))
		answered(t, pool, invocation("b", "1ms"))
		synctest.Wait()
		if s := pool.Snapshot().Pool; s.Idle != 2 || len(starter.reasons()) != 0 {
			t.Errorf("%+v, deaths %v; want two idle workers alive", s, starter.reasons())
		}
	})
}

func TestIdleWorkersRetireAfterTheIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(4, 0)
		cfg.IdleTimeout = time.Hour
		starter := &fakeStarter{}
		pool := fakePool(t, cfg, starter)
		answered(t, pool, invocation("often", "0s"))
		answered(t, pool, invocation("once", "0s"))
		for i := range 10 {
			time.Sleep(40 * time.Minute)
			if i == 0 {
				answered(t, pool, invocation("later", "0s"))
			}
			if start := answered(t, pool, invocation("often", "0s")); start != StartWarm {
				t.Errorf("use %d found a %s worker", i, start)
			}
		}
		died := map[string]Reason{}
		for _, c := range starter.children {
			died[c.key] = c.killedFor()
		}
		if died["once"] != ReasonIdle || died["later"] != ReasonIdle || died["often"] != "" {
			t.Errorf("got %v", died)
		}
	})
}

func TestPrewarmedWorkersBeyondTheReserveRetire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(3, 1)
		cfg.IdleTimeout = time.Hour
		starter := &fakeStarter{startTime: 100 * time.Millisecond, reapTime: time.Millisecond}
		pool := fakePool(t, cfg, starter)
		go answered(t, pool, invocation("a", "1s"))
		synctest.Wait()
		hurried, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := pool.Invoke(hurried, invocation("b", "1ms")); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("call that did not wait to the end: %v", err)
		}
		time.Sleep(time.Minute)
		if s := pool.Snapshot().Pool; s.Prewarmed != 2 || s.Idle != 1 {
			t.Fatalf("got %+v, want a worker more than the reserve", s)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if s := pool.Snapshot().Pool; s.Prewarmed != 1 || s.Starting != 0 {
			t.Errorf("after the idle timeout: %+v", s)
		}
		if s := answered(t, pool, invocation("c", "1ms")); s != StartPrewarmed {
			t.Errorf("the next call found a %s worker", s)
		}
	})
}

func TestIdleTimeoutIsKeptToTheMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(4, 0)
		cfg.IdleTimeout = time.Hour
		pool := fakePool(t, cfg, &fakeStarter{})
		time.Sleep(23 * time.Minute)
		answered(t, pool, invocation("a", "0s"))
		time.Sleep(time.Hour - time.Nanosecond)
		synctest.Wait()
		if s := pool.Snapshot().Pool; s.Idle != 1 {
			t.Errorf("before its time: %+v", s)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if s := pool.Snapshot().Pool; s.Idle != 0 {
			t.Errorf("after its time: %+v", s)
		}
	})
}

func TestDeadWorkersAreReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{startTime: 40 * time.Millisecond}
		pool := fakePool(t, fakeConfig(2, 1), starter)
		answered(t, pool, invocation("a", "1ms"))
		time.Sleep(time.Second)
		starter.child(0).kill(ReasonSignal) // the idle one
		starter.child(1).kill(ReasonSignal) // the prewarmed one
		time.Sleep(time.Second)
		synctest.Wait()
		if s := pool.Snapshot().Pool; s != (PoolStats{Size: 2, Active: 2, QueueSize: 1000, Prewarmed: 1}) {
			t.Errorf("got %+v, want one prewarmed worker", s)
		}
		answered(t, pool, invocation("a", "1ms"))
		if starter.child(2).calls != 1 {
			t.Error("the replacement did not serve the call")
		}
	})
}

func TestDeadBusyWorkerFreesItsSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{reapTime: time.Millisecond}
		pool := fakePool(t, fakeConfig(1, 0), starter)
		time.AfterFunc(time.Second, func() { starter.child(0).kill(ReasonSignal) })
		_, err := pool.Invoke(t.Context(), invocation("a", "1h"))
		var death *DeathError
		if !errors.As(err, &death) || death.Reason != ReasonSignal {
			t.Errorf("got %v", err)
		}
		answered(t, pool, invocation("b", "1ms"))
	})
}

func TestFailingStartsAreHeldBackAndRecover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		starter := &fakeStarter{fail: func(int) error {
			if broken.Load() {
				return errors.New("no memory")
			}
			return nil
		}}
		pool := fakePool(t, fakeConfig(1, 1), starter)
		synctest.Wait()
		broken.Store(true)
		began := time.Now()
		starter.child(0).kill(ReasonSignal)
		time.Sleep(time.Minute)
		synctest.Wait()
		var gaps []time.Duration
		for _, at := range starter.failures() {
			gaps = append(gaps, at.Sub(began))
			began = at
		}
		want := []time.Duration{0, 50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000}
		for i, ms := range want {
			if i >= len(gaps) || gaps[i] != ms*time.Millisecond {
				t.Fatalf("gaps between starts %v, want %v ms first", gaps, want)
			}
		}
		if s := pool.Snapshot().Pool; s.Starting != 0 || s.Prewarmed != 0 {
			t.Errorf("while starts fail: %+v", s)
		}
		broken.Store(false)
		answered(t, pool, invocation("a", "1ms"))

		// A start that went well forgets the failures before it.
		broken.Store(true)
		starter.failures()
		starter.child(1).kill(ReasonSignal)
		time.Sleep(60 * time.Millisecond)
		synctest.Wait()
		if n := len(starter.failures()); n != 2 {
			t.Errorf("%d starts in the first 60 ms of a new trouble, want 2", n)
		}
		broken.Store(false)
	})
}

func TestStartTimeoutFreesTheSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(1, 1)
		cfg.StartTimeout, cfg.QueueTimeout = time.Second, time.Minute
		starter := &fakeStarter{startTime: 10 * time.Millisecond}
		pool := fakePool(t, cfg, starter)
		synctest.Wait()
		starter.startTime = time.Hour
		starter.child(0).kill(ReasonSignal)
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		if s := pool.Snapshot().Pool; s.Starting != 1 {
			t.Errorf("got %+v, want one starting", s)
		}
		starter.startTime = 10 * time.Millisecond
		answered(t, pool, invocation("a", "1ms"))
	})
}
