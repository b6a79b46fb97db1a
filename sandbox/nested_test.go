package sandbox

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestNestedCallsDoNotWaitForCalls(t *testing.T) {
	for _, row := range []struct {
		name            string
		size, reserve   int
		held, heldOther int    // workers that serve calls of the same group, and of another one
		want            string // the cause of a refusal
	}{
		{"nobody else", 4, 1, 0, 0, ""},
		{"within the room", 4, 1, 2, 0, ""},
		{"no room", 4, 1, 3, 0, "nested_call"},
		{"the reserve is for those who hold none", 4, 1, 0, 3, ""},
		{"all are held", 4, 0, 4, 0, "nested_call"},
		{"all are held by others", 4, 0, 0, 4, "nested_call"},
	} {
		synctest.Test(t, func(t *testing.T) {
			starter := &fakeStarter{startTime: time.Millisecond, reapTime: time.Millisecond}
			pool := fakePool(t, sharedConfig(row.size, 0, row.reserve), starter)
			hold(t, pool, row.held, "a", "1m")
			hold(t, pool, row.heldOther, "b", "1m")
			time.Sleep(time.Second)
			inv := invocation("a/inner", "1ms")
			inv.Depth = 1
			began := time.Now()
			_, err := pool.Invoke(t.Context(), inv)
			var busy *BusyError
			if cause := ""; errors.As(err, &busy) {
				cause = string(busy.Cause)
				if cause != row.want || time.Since(began) != 0 {
					t.Errorf("%s: %v after %v", row.name, err, time.Since(began))
				}
			} else if err != nil || row.want != "" {
				t.Errorf("%s: %v, want %q", row.name, err, row.want)
			}
			time.Sleep(3 * time.Minute)
		})
	}
}

func TestNestingOfCallsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := fakePool(t, fakeConfig(4, 1), &fakeStarter{})
		for depth, want := range map[int]bool{1: true, MaxDepth: true, MaxDepth + 1: false} {
			inv := invocation("a/f", "1ms")
			inv.Depth = depth
			if _, err := pool.Invoke(t.Context(), inv); (err == nil) != want {
				t.Errorf("depth %d: %v", depth, err)
			}
		}
	})
}
