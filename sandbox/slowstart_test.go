package sandbox

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Calls do not wait for a fork server that starts again: those of functions without a worker are sent away, at once
// when that is known.
func TestCallsAreSentAwayFromStartsThatAreSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(4, 0)
		cfg.rollback = true
		starter := &fakeStarter{}
		pool := fakePool(t, cfg, starter)
		hold(t, pool, 1, "a", "1m")
		time.Sleep(time.Second)
		starter.startTime, starter.again = time.Minute, true
		began := time.Now()
		_, err := pool.Invoke(t.Context(), invocation("a/new", "1ms"))
		if took := time.Since(began); !errors.Is(err, errAway) || took != slowStart {
			t.Errorf("a call without a worker got %v after %v", err, took)
		}
		if !pool.scheduler.hasNone("a/new") || pool.scheduler.hasNone("a/0") {
			t.Error("it is not told which calls would wait for the start")
		}
		time.Sleep(2 * time.Minute)
		if pool.scheduler.hasNone("a/new") {
			t.Error("starts still count as slow")
		}
		starter.startTime = time.Millisecond
		answered(t, pool, invocation("a/new", "1ms"))
	})
}

// Starts that are slow because the machine is are waited for.
func TestCallsWaitForStartsThatAreOnlySlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(4, 0)
		cfg.rollback = true
		pool := fakePool(t, cfg, &fakeStarter{startTime: 4 * slowStart})
		answered(t, pool, invocation("a/new", "1ms"))
	})
}
