package sandbox

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// twoPools are pools of two runtimes on one starter, which checks that both together have no more workers than they may.
func twoPools(t *testing.T, cfg Config) (first, second *Pool, starter *fakeStarter) {
	t.Helper()
	starter = &fakeStarter{startTime: 5 * time.Millisecond, reapTime: time.Millisecond}
	cfg.house = newHouse()
	var pools []*Pool
	for range 2 {
		pool, err := newPool(t.Context(), cfg, sharedStarter{starter})
		if err != nil {
			t.Fatal(err)
		}
		pools = append(pools, pool)
	}
	t.Cleanup(func() {
		for _, pool := range pools {
			if err := pool.Close(); err != nil {
				t.Error(err)
			}
		}
		if starter.most > cfg.Size || starter.alive != 0 || len(starter.mixed) > 0 {
			t.Errorf("%d workers lived at once, %d are allowed; %d are left; %v", starter.most, cfg.Size, starter.alive, starter.mixed)
		}
	})
	return pools[0], pools[1], starter
}

// sharedStarter may be closed by several.
type sharedStarter struct{ *fakeStarter }

func (sharedStarter) close() error { return nil }

func TestRuntimesShareOneBudgetOfWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(8, 1)
		cfg.QueueTimeout = time.Hour
		first, second, starter := twoPools(t, cfg)
		for i := range 20 { // leaves idle workers everywhere
			answered(t, first, call(fmt.Sprint("a/", i), "1ms"))
		}
		for i := range 20 {
			answered(t, second, call(fmt.Sprint("b/", i), "1ms"))
		}
		hold(t, first, 8, "a", "1m")
		time.Sleep(time.Second)
		if n := serving(first)["a"]; n != 8 {
			t.Errorf("a runtime that alone is wanted has %d of 8 workers, %d live", n, starter.alive)
		}
		time.Sleep(time.Hour)
		hold(t, first, 8, "a", "10s")
		hold(t, second, 8, "b", "10s")
		time.Sleep(15 * time.Second)
		hold(t, first, 8, "a", "10s")
		time.Sleep(time.Second)
		if a, b := serving(first)["a"], serving(second)["b"]; a+b > 8 || b == 0 {
			t.Errorf("the runtimes have %d and %d of 8 workers", a, b)
		}
		time.Sleep(time.Hour)
	})
}

func TestReserveIsForGroupsThatHoldNoneOfAnyRuntime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second, _ := twoPools(t, sharedConfig(8, 1, 2))
		hold(t, first, 20, "a", "5s")
		hold(t, second, 20, "a", "5s")
		time.Sleep(time.Second)
		if n := serving(first)["a"] + serving(second)["a"]; n != 6 {
			t.Errorf("one group holds %d of 8 workers in two runtimes", n)
		}
		for _, pool := range []*Pool{second, first} {
			for i := range 5 {
				began := time.Now()
				answered(t, pool, call(fmt.Sprint("b/", i), "1ms"))
				if took := time.Since(began); took > 20*time.Millisecond {
					t.Errorf("a call of another group took %v", took)
				}
			}
		}
		time.Sleep(time.Hour)
	})
}

func TestPoorerGroupOfAnotherRuntimeGetsWhatComesFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second, _ := twoPools(t, sharedConfig(10, 1, 2))
		end := time.Now().Add(2 * time.Second)
		for range 20 { // each finds an idle worker of its function as soon as one ends
			go func() {
				for time.Now().Before(end) && answered(t, first, call("a/f", "20ms")) != "" {
				}
			}()
		}
		time.Sleep(500 * time.Millisecond)
		hold(t, second, 3, "b", "1h")
		time.Sleep(time.Second)
		if n := serving(second)["b"]; n != 3 {
			t.Errorf("the poorer group has %d of the 3 workers that it wants", n)
		}
		time.Sleep(2 * time.Hour)
	})
}

func TestMoreRuntimesThanWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(1, 1)
		cfg.house = newHouse()
		starter := &fakeStarter{startTime: 5 * time.Millisecond, reapTime: time.Millisecond}
		var pools []*Pool
		for range 3 {
			pool, err := newPool(t.Context(), cfg, sharedStarter{starter})
			if err != nil {
				t.Fatal(err)
			}
			pools = append(pools, pool)
		}
		time.Sleep(time.Second)
		if starter.alive > 1 {
			t.Errorf("%d workers live, one is allowed", starter.alive)
		}
		for i := range 9 {
			answered(t, pools[i%3], call(fmt.Sprint("a/", i), "1ms"))
			if err := pools[i%3].Ready(); err != nil && !errors.Is(err, ErrWarming) {
				t.Error(err)
			}
		}
		for _, pool := range pools {
			if err := pool.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
