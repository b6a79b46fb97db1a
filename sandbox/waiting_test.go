package sandbox

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestFullQueueRefusesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(1, 0)
		cfg.QueueSize = 2
		pool := fakePool(t, cfg, &fakeStarter{})
		for i := range 3 { // one runs, two wait
			go func() { _, _ = pool.Invoke(context.Background(), invocation(fmt.Sprint("f", i), "1s")) }()
		}
		synctest.Wait()
		if s := pool.Snapshot().Pool; s.Busy != 1 || s.Queued != 2 || s.QueueSize != 2 {
			t.Fatalf("got %+v", s)
		}
		began := time.Now()
		_, err := pool.Invoke(t.Context(), invocation("late", "1s"))
		if !errors.Is(err, ErrBusy) || time.Since(began) != 0 {
			t.Errorf("got %v after %v, want ErrBusy at once", err, time.Since(began))
		}
	})
}

func TestQueueOfZeroStillServesWhatIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(1, 1)
		cfg.QueueSize = 0
		pool := fakePool(t, cfg, &fakeStarter{})
		answered(t, pool, invocation("a", "1ms"))
		answered(t, pool, invocation("a", "1ms"))
		if _, err := pool.Invoke(t.Context(), invocation("b", "1ms")); !errors.Is(err, ErrBusy) {
			t.Errorf("got %v, want ErrBusy", err)
		}
	})
}

func TestWaitEndsWithTheQueueTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(1, 0)
		cfg.QueueTimeout = 3 * time.Second
		pool := fakePool(t, cfg, &fakeStarter{})
		go func() { _, _ = pool.Invoke(context.Background(), invocation("a", "1h")) }()
		synctest.Wait()
		began := time.Now()
		_, err := pool.Invoke(t.Context(), invocation("b", "1s"))
		if !errors.Is(err, ErrBusy) || time.Since(began) != 3*time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		if s := pool.Snapshot().Pool; s.Queued != 0 {
			t.Errorf("%d calls still wait", s.Queued)
		}
	})
}

func TestWaitEndsWithTheContextAndKeepsItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := fakePool(t, fakeConfig(1, 0), &fakeStarter{})
		go func() { _, _ = pool.Invoke(context.Background(), invocation("a", "1m")) }()
		synctest.Wait()
		cause := errors.New("the client hung up")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		if _, err := pool.Invoke(ctx, invocation("b", "1s")); !errors.Is(err, cause) {
			t.Errorf("got %v, want one that wraps %q", err, cause)
		}
		if s := pool.Snapshot().Pool; s.Queued != 0 {
			t.Errorf("%d calls still wait", s.Queued)
		}
	})
}

func TestDetachedCallOutlivesItsContext(t *testing.T) {
	for _, detached := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			pool := fakePool(t, fakeConfig(1, 0), &fakeStarter{})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			inv := invocation("a", "2s")
			inv.Detached = detached
			_, err := pool.Invoke(ctx, inv)
			var death *DeathError
			if killed := errors.As(err, &death) && death.Reason == ReasonCanceled; killed == detached {
				t.Errorf("detached %v: got %v", detached, err)
			}
		})
	}
}
