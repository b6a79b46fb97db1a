package sandbox

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestPoolNeverExceedsItsSizeWhileStarting(t *testing.T) {
	for size := 1; size <= 3; size++ {
		synctest.Test(t, func(t *testing.T) {
			fakePool(t, fakeConfig(size, size), &fakeStarter{startTime: time.Second})
			synctest.Wait()
		})
	}
}

func TestWorkerServesOneFunctionOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{startTime: 40 * time.Millisecond}
		pool := fakePool(t, fakeConfig(3, 1), starter)
		synctest.Wait()
		for range 5 {
			for _, key := range []string{"a/1", "a/2", "b/1", "b/2", "b/1"} {
				answered(t, pool, invocation(key, "1ms"))
			}
		}
		// The cleanup of fakePool fails when two keys met on one child.
		synctest.Wait()
		if starter.starts < 4 {
			t.Errorf("%d starts for 4 functions", starter.starts)
		}
	})
}

func TestStartKinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := fakePool(t, fakeConfig(1, 1), &fakeStarter{startTime: 40 * time.Millisecond, reapTime: time.Millisecond})
		synctest.Wait()
		for i, row := range []struct {
			key  string
			want StartKind
		}{{"a", StartPrewarmed}, {"a", StartWarm}, {"b", StartCold}, {"b", StartWarm}, {"a", StartCold}} {
			if got := answered(t, pool, invocation(row.key, "1ms")); got != row.want {
				t.Errorf("call %d of %s: %s, want %s", i, row.key, got, row.want)
			}
		}
	})
}

func TestStatsOfACallTellItsTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := fakePool(t, fakeConfig(1, 0), &fakeStarter{startTime: 40 * time.Millisecond, reapTime: time.Millisecond})
		answered(t, pool, invocation("a", "1ms"))
		result, err := pool.Invoke(t.Context(), invocation("b", "7ms"))
		if err != nil {
			t.Fatal(err)
		}
		want := Stats{Start: StartCold, Queue: 41 * time.Millisecond, Run: 7 * time.Millisecond}
		if result.Stats != want {
			t.Errorf("got %+v, want %+v", result.Stats, want)
		}
	})
}

func TestPrewarmedWorkersAreRefilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := fakePool(t, fakeConfig(8, 2), &fakeStarter{startTime: 40 * time.Millisecond})
		for i := range 4 {
			time.Sleep(time.Second)
			synctest.Wait()
			if s := pool.Snapshot().Pool; s.Prewarmed != 2 || s.Idle != i || s.Starting != 0 {
				t.Fatalf("before call %d: %+v", i, s)
			}
			answered(t, pool, invocation(fmt.Sprint("f", i), "1ms"))
		}
	})
}

func TestMaxInvocationsRetiresTheWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(2, 1)
		cfg.MaxInvocations = 3
		starter := &fakeStarter{}
		pool := fakePool(t, cfg, starter)
		for range 9 {
			answered(t, pool, invocation("a", "1ms"))
			synctest.Wait()
		}
		for _, c := range starter.children[:3] {
			if c.calls != 3 || c.killedFor() != ReasonRetired {
				t.Errorf("child %d served %d calls and died of %q", c.number, c.calls, c.killedFor())
			}
		}
	})
}

func TestOutcomeOfACallDecidesOverItsWorker(t *testing.T) {
	failure := &FunctionError{Status: 500, Text: "Error: x"}
	death := &DeathError{Reason: ReasonOutput}
	for name, row := range map[string]struct {
		reusable bool
		err      error
		idle     int
	}{
		"answer":                    {true, nil, 1},
		"answer, work left behind":  {false, nil, 0},
		"failure":                   {true, failure, 1},
		"failure, work left behind": {false, failure, 0},
		"answer too large":          {true, death, 1},
		"call too large":            {false, ErrTooLarge, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			starter := &fakeStarter{serve: func(*fakeChild, *Invocation) (*Result, bool, error) {
				if row.err != nil {
					return nil, row.reusable, row.err
				}
				return &Result{Status: 200}, row.reusable, nil
			}}
			pool := fakePool(t, fakeConfig(1, 0), starter)
			result, err := pool.Invoke(t.Context(), invocation("a", ""))
			if !errors.Is(err, row.err) || (err == nil) != (result != nil) {
				t.Errorf("%s: got %v, %v", name, result, err)
			}
			synctest.Wait()
			if s := pool.Snapshot().Pool; s.Idle != row.idle {
				t.Errorf("%s: %+v, want %d idle", name, s, row.idle)
			}
		})
	}
}

func TestFailuresCarryTheStatsOfTheirCall(t *testing.T) {
	for _, failure := range []error{&FunctionError{}, &DeathError{}} {
		synctest.Test(t, func(t *testing.T) {
			pool := fakePool(t, fakeConfig(1, 0), &fakeStarter{serve: func(*fakeChild, *Invocation) (*Result, bool, error) {
				time.Sleep(3 * time.Millisecond)
				return nil, true, failure
			}})
			_, err := pool.Invoke(t.Context(), invocation("a", ""))
			var stats Stats
			var failed *FunctionError
			var death *DeathError
			switch {
			case errors.As(err, &failed):
				stats = failed.Stats
			case errors.As(err, &death):
				stats = death.Stats
			}
			if want := (Stats{Start: StartPrewarmed, Run: 3 * time.Millisecond}); stats != want {
				t.Errorf("%T: got %+v, want %+v", err, stats, want)
			}
		})
	}
}
