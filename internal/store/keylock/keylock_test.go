package keylock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/backstage/functions/internal/store/keylock"
)

func TestOneHolderForEachKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var locks keylock.Locks
		release, err := locks.Acquire(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		other, err := locks.Acquire(t.Context(), "b")
		if err != nil {
			t.Fatalf("another key: %v", err)
		}
		other()
		var second func()
		go func() { second, _ = locks.Acquire(t.Context(), "a") }()
		synctest.Wait()
		if second != nil {
			t.Error("two hold the lock of one key")
		}
		release()
		synctest.Wait()
		if second == nil {
			t.Fatal("the lock was released, and who waits for it does not get it")
		}
		second()
		if !locks.Idle() {
			t.Error("nobody uses a lock, and it is still there")
		}
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	var locks keylock.Locks
	release, err := locks.Acquire(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("the caller left")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := locks.Acquire(ctx, "a"); !errors.Is(err, cause) {
		t.Errorf("got %v, want %v", err, cause)
	}
	release()
	if !locks.Idle() {
		t.Error("a lock that nobody uses is still there")
	}
}
