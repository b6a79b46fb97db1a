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

// Workers of other parts that serve nobody make room for a nested call as for any other, unless calls wait for them.
func TestNestedCallsHaveTheRoomOfOtherParts(t *testing.T) {
	for _, row := range []struct {
		name          string
		idle, serving int // workers of another part
		waiting       int // calls of that part beyond
		want          string
	}{
		{"idle workers make room", 4, 0, 0, ""},
		{"one of them is enough", 1, 3, 0, ""},
		{"none is idle", 0, 4, 0, "nested_call"},
		{"calls wait", 0, 4, 2, "nested_call"},
	} {
		synctest.Test(t, func(t *testing.T) {
			cfg := sharedConfig(4, 0, 0)
			cfg.Runtimes = []Runtime{{Name: "a", Node: "node"}, {Name: "b", Node: "node"}}
			pool := emptyPool(cfg, func(*Config) (starter, error) { return &fakeStarter{}, nil })
			for _, rt := range cfg.Runtimes {
				if err := pool.start(t.Context(), rt); err != nil {
					t.Fatal(err)
				}
			}
			t.Cleanup(func() {
				if err := pool.Close(); err != nil {
					t.Error(err)
				}
			})
			other, err := pool.current.Load().part("b")
			if err != nil {
				t.Fatal(err)
			}
			hold(t, other, row.serving, "held", "1m")
			hold(t, other, row.idle, "idle", "1ms")
			time.Sleep(time.Second)
			hold(t, other, row.waiting, "waiting", "1ms")
			inv := invocation("a/inner", "1ms")
			inv.Depth = 1
			began := time.Now()
			_, err = pool.Invoke(t.Context(), inv)
			if busy, ok := errors.AsType[*BusyError](err); ok && (string(busy.Cause) != row.want || time.Since(began) != 0) {
				t.Errorf("%s: %v after %v", row.name, err, time.Since(began))
			} else if !ok && (err != nil || row.want != "") {
				t.Errorf("%s: %v, want %q", row.name, err, row.want)
			}
			time.Sleep(3 * time.Minute)
		})
	}
}

// A worker whose caller is answered makes room, too, however long it takes to be put back: at once where it counts as
// serving still.
func TestNestedCallsHaveTheRoomOfWorkersThatArePutBack(t *testing.T) {
	for _, row := range []struct {
		name         string
		takes, after time.Duration // to be put back, and after the answer
	}{
		{"while it counts as serving", putBackPatience / 2, 0},
		{"while it counts as serving, and longer", time.Hour, 0},
		{"when it counts as at work after an answer", time.Hour, 2 * putBackPatience},
	} {
		synctest.Test(t, func(t *testing.T) {
			cfg := fakeConfig(2, 0)
			cfg.rollback = true
			pool := fakePool(t, cfg, putBackStarter(row.takes))
			for _, key := range []string{"a/1", "a/2"} {
				answered(t, pool, putBackCall(key))
			}
			time.Sleep(row.after)
			inv := putBackCall("a/inner")
			inv.Depth = 1
			if _, err := pool.Invoke(t.Context(), inv); err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
			time.Sleep(2 * putBackPatience)
			synctest.Wait()
			if n := pool.scheduler.putBack; n != 0 {
				t.Errorf("%s: %d workers count as being put back", row.name, n)
			}
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
