package sandbox

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestPoolIsReadyUnlessItsLastStartsFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("no memory")
		var broken atomic.Bool
		starter := &fakeStarter{startTime: time.Millisecond, fail: func(int) error {
			if broken.Load() {
				return cause
			}
			return nil
		}}
		pool := fakePool(t, fakeConfig(2, 1), starter)
		ready := func(want error) {
			t.Helper()
			synctest.Wait()
			if err := pool.Snapshot().Err; !errors.Is(err, want) {
				t.Errorf("ready: %v, want %v", err, want)
			}
		}
		ready(nil)

		broken.Store(true)
		starter.child(0).kill(ReasonSignal) // its replacement fails, again and again
		time.Sleep(2 * time.Millisecond)
		ready(nil) // one failure may be chance
		time.Sleep(time.Minute)
		ready(ErrFailing)
		ready(cause)
		if status := pool.Snapshot(); status.Problem == "" || strings.Contains(status.Problem, cause.Error()) {
			t.Errorf("the problem shown is %q", status.Problem)
		}

		broken.Store(false)
		time.Sleep(lastRetry + time.Second)
		ready(nil)
		if status := pool.Snapshot(); status.Problem != "" {
			t.Errorf("the problem shown is %q", status.Problem)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		ready(ErrClosed)
	})
}

func TestFailuresOfLongAgoDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		starter := &fakeStarter{fail: func(int) error {
			if broken.Load() {
				return errors.New("no memory")
			}
			return nil
		}}
		cfg := fakeConfig(2, 0)
		cfg.QueueTimeout = time.Second
		pool := fakePool(t, cfg, starter)
		answered(t, pool, invocation("a", "1ms"))
		starter.child(0).kill(ReasonSignal)
		synctest.Wait()
		broken.Store(true)
		if _, err := pool.Invoke(t.Context(), invocation("a", "1ms")); !errors.Is(err, ErrBusy) {
			t.Errorf("got %v", err)
		}
		if err := pool.Snapshot().Err; !errors.Is(err, ErrFailing) {
			t.Errorf("ready: %v", err)
		}
		time.Sleep(failureMemory + lastRetry) // nobody calls, so nothing is started
		if err := pool.Snapshot().Err; err != nil {
			t.Errorf("a server that nobody sends calls to can never show that it is well again: %v", err)
		}
	})
}

// settlingStarter prepares itself until it is told that this is over.
type settlingStarter struct {
	fakeStarter
	done atomic.Bool
}

func (s *settlingStarter) settled() bool { return s.done.Load() }

func TestPoolIsReadyWhenItHasOnceHadAllThatItKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &settlingStarter{fakeStarter: fakeStarter{startTime: time.Second}}
		pool, err := newPool(t.Context(), fakeConfig(4, 2), starter, newBudget())
		if err != nil {
			t.Fatal(err)
		}
		ready := func(when string, want error) {
			t.Helper()
			synctest.Wait()
			if err := pool.Snapshot().Err; !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", when, err, want)
			}
		}
		starter.done.Store(true)
		ready("with one worker of two", ErrWarming)
		starter.done.Store(false)
		time.Sleep(2 * time.Second)
		ready("while the starter prepares itself", ErrWarming)
		starter.done.Store(true)
		ready("with all", nil)
		go answered(t, pool, invocation("a", "1m"))
		go answered(t, pool, invocation("b", "1m"))
		ready("with all in use", nil)
		time.Sleep(time.Hour)
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
}
