package sandbox

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A goroutine that a pool leaves behind fails each of these tests: synctest.Test waits for all of its bubble.

func TestCloseWaitsForCallsAndRefusesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{reapTime: time.Millisecond}
		pool := fakePool(t, fakeConfig(1, 0), starter)
		began := time.Now()
		running, waiting, closed := make(chan error, 1), make(chan error, 1), make(chan error, 2)
		go func() { _, err := pool.Invoke(context.Background(), invocation("a", "5s")); running <- err }()
		synctest.Wait()
		go func() { _, err := pool.Invoke(context.Background(), invocation("b", "5s")); waiting <- err }()
		synctest.Wait()
		for range cap(closed) {
			go func() { closed <- pool.Close() }()
		}
		if err := <-waiting; !errors.Is(err, ErrClosed) || time.Since(began) != 0 {
			t.Errorf("the waiting call got %v after %v, want ErrClosed at once", err, time.Since(began))
		}
		if _, err := pool.Invoke(t.Context(), invocation("c", "5s")); !errors.Is(err, ErrClosed) {
			t.Errorf("a new call got %v, want ErrClosed", err)
		}
		if err := <-running; err != nil || time.Since(began) != 5*time.Second {
			t.Errorf("the running call got %v after %v, want its answer", err, time.Since(began))
		}
		for range cap(closed) {
			if err := <-closed; err != nil {
				t.Error(err)
			}
		}
		if starter.alive != 0 {
			t.Error("Close returned before the worker was reaped")
		}
		if err := pool.Close(); err != nil {
			t.Errorf("Close once more: %v", err)
		}
	})
}

func TestCloseEndsStartsInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{}
		pool := fakePool(t, fakeConfig(4, 0), starter)
		starter.startTime = time.Hour
		go func() { _, _ = pool.Invoke(context.Background(), invocation("a", "1ms")) }()
		go func() { _, _ = pool.Invoke(context.Background(), invocation("b", "1ms")) }()
		synctest.Wait()
		began := time.Now()
		if err := pool.Close(); err != nil || time.Since(began) >= time.Second {
			t.Errorf("Close took %v: %v", time.Since(began), err)
		}
	})
}

func TestStatsAddUpWhileClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := fakePool(t, fakeConfig(4, 2), &fakeStarter{reapTime: time.Second})
		answered(t, pool, invocation("a", "1ms"))
		synctest.Wait()
		go pool.Close()
		synctest.Wait()
		if s := pool.Snapshot().Pool; s != (PoolStats{Size: 4, Active: 4, QueueSize: 1000}) {
			t.Errorf("all workers are dying: got %+v", s)
		}
	})
}

func TestPoolWhoseFirstStartFailsIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("no such binary")
		starter := &fakeStarter{fail: func(int) error { return cause }}
		pool, err := newPool(t.Context(), fakeConfig(2, 2), starter, newBudget())
		if pool != nil || !errors.Is(err, cause) || err.Error() != cause.Error() {
			t.Errorf("got %v, %v", pool, err)
		}
		if starter.starts != 1 || starter.alive != 0 || !starter.closed {
			t.Errorf("%d starts, %d alive, starter closed: %v", starter.starts, starter.alive, starter.closed)
		}
	})
}

func TestNewGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := newPool(ctx, fakeConfig(1, 0), &fakeStarter{startTime: time.Hour}, newBudget())
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
