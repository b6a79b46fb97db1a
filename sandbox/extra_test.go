package sandbox

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// extraRig is a Pool of fakes of one runtime, and what was made for larger memory.
type extraRig struct {
	*Pool

	mu       sync.Mutex // guards the fields below
	opened   []int64    // the memory of each part
	starters []*fakeStarter
	fail     error
	// startTime is how long workers of new parts take to start.
	startTime time.Duration
}

// newExtraRig must be called inside a synctest bubble.
func newExtraRig(t *testing.T) *extraRig {
	t.Helper()
	cfg := fakeConfig(4, 1)
	cfg.LargestMemory, cfg.Runtimes = 600<<20, []Runtime{{Name: "node", Node: "node"}}
	r := &extraRig{Pool: emptyPool(cfg, func(*Config) (starter, error) { return &fakeStarter{}, nil })}
	if err := r.start(t.Context(), cfg.Runtimes[0]); err != nil {
		t.Fatal(err)
	}
	r.extra.open = func(c *Config) (starter, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.fail != nil {
			return nil, r.fail
		}
		r.opened, r.starters = append(r.opened, c.Limits.Memory>>20), append(r.starters, &fakeStarter{startTime: r.startTime})
		return r.starters[len(r.starters)-1], nil
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		for i, s := range r.starters {
			if !s.hasEnded() {
				t.Errorf("part %d, of %d MiB, has not ended", i, r.opened[i])
			}
		}
	})
	return r
}

// hasEnded says whether all processes have ended, and nothing is left of the starter.
func (s *fakeStarter) hasEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed && s.alive == 0
}

func (r *extraRig) call(t *testing.T, key string, memory int64) {
	t.Helper()
	inv := invocation(key, "1ms")
	inv.Memory = memory << 20
	if _, err := r.Invoke(t.Context(), inv); err != nil {
		t.Errorf("%s with %d MiB: %v", key, memory, err)
	}
}

func TestFunctionsWithMoreMemoryHaveAForkServerOfItsSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newExtraRig(t)
		for _, row := range []struct {
			memory int64
			opens  int64 // the part that this call opens, in MiB; 0 for none
		}{
			{0, 0},
			{64, 0},
			{128, 0},
			{129, 256},
			{256, 0},
			{200, 0},
			{257, 512},
			{513, 600},
			{600, 0},
			{5000, 0},
		} {
			before := len(r.opened)
			r.call(t, "g/f", row.memory)
			opened := r.opened[before:]
			if (row.opens == 0) != (len(opened) == 0) || len(opened) > 0 && opened[0] != row.opens {
				t.Errorf("%d MiB: opened parts of %v MiB, want %d", row.memory, opened, row.opens)
			}
		}
		if stats := r.Snapshot().Pool; stats.Size != 4 {
			t.Errorf("the pool has %+v", stats)
		}
	})
}

func TestAForkServerThatNobodyNeedsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newExtraRig(t)
		idle := r.extra.cfg.IdleTimeout
		for range 3 { // calls keep it alive
			r.call(t, "g/f", 200)
			time.Sleep(idle - time.Minute)
		}
		if len(r.opened) != 1 || r.starters[0].hasEnded() {
			t.Fatalf("opened %v MiB, the first has ended: %v", r.opened, r.starters[0].hasEnded())
		}
		time.Sleep(3 * idle)
		synctest.Wait()
		if n := len(r.extra.budget.schedulers); !r.starters[0].hasEnded() || n != 1 {
			t.Errorf("it has ended: %v; there are %d schedulers", r.starters[0].hasEnded(), n)
		}
		r.call(t, "g/f", 200)
		if len(r.opened) != 2 {
			t.Errorf("opened %v MiB: the last call needs a new one", r.opened)
		}
	})
}

func TestAForkServerThatDoesNotBeginIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newExtraRig(t)
		r.fail = errors.New("no room")
		inv := invocation("g/f", "1ms")
		inv.Memory = 200 << 20
		if _, err := r.Invoke(t.Context(), inv); !errors.Is(err, r.fail) {
			t.Errorf("got %v", err)
		}
		if stats := r.Snapshot().Pool; stats.Size != 4 {
			t.Errorf("meanwhile the pool has %+v", stats)
		}
		r.fail = nil
		time.Sleep(lastRetry)
		synctest.Wait()
		r.call(t, "g/f", 200)
	})
}

func TestWorkersWithMoreMemoryCountInSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newExtraRig(t)
		for i := range 20 {
			go func() {
				inv := invocation("g/f", "1s")
				inv.Memory = int64(i%4) * 130 << 20
				if _, err := r.Invoke(t.Context(), inv); err != nil {
					t.Error(err)
				}
			}()
		}
		for range 100 {
			time.Sleep(50 * time.Millisecond)
			if s := r.Snapshot().Pool; s.Starting+s.Prewarmed+s.Idle+s.Busy > 4 {
				t.Fatalf("4 workers are allowed: %+v", s)
			}
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
	})
}

func TestWebFunctionsHaveAForkServerOnceItIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newExtraRig(t)
		web := func() {
			inv := invocation("g/w", "1ms")
			inv.Web = true
			if _, err := r.Invoke(t.Context(), inv); err != nil {
				t.Error(err)
			}
		}
		r.startTime = time.Second
		web()
		if n := len(r.starters); n == 1 && r.starters[0].servedCalls() > 0 {
			t.Error("the first call did not go to the usual workers")
		}
		time.Sleep(2 * time.Second)
		for range 3 {
			web()
		}
		r.call(t, "g/f", 0)
		if len(r.opened) != 1 || r.starters[0].servedCalls() != 3 {
			t.Fatalf("opened %v MiB, the first served %d calls", r.opened, r.starters[0].servedCalls())
		}
		r.fail = errors.New("no room")
		time.Sleep(3 * r.extra.cfg.IdleTimeout)
		synctest.Wait()
		if !r.starters[0].hasEnded() {
			t.Error("the fork server is there")
		}
		web()
		synctest.Wait()
		web() // the usual workers serve it where there is no other fork server
	})
}

func TestCallsDoNotWaitForAForkServerThatHasEndedForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newExtraRig(t)
		call := func(key string) {
			t.Helper()
			inv := invocation(key, "1ms")
			inv.Web = true
			began := time.Now()
			_, err := r.Invoke(t.Context(), inv)
			if took := time.Since(began); err != nil || took > time.Second {
				t.Errorf("%s took %v: %v", key, took, err)
			}
		}
		call("g/a")
		time.Sleep(time.Second)
		r.starters[0].fail = func(int) error { return errors.New("the fork server is gone") }
		call("g/b") // on the last worker that there is
		time.Sleep(time.Second)
		before := r.starters[0].servedCalls()
		call("g/c")
		if n := r.starters[0].servedCalls() - before; n != 0 {
			t.Errorf("it served %d calls of a function without a worker there", n)
		}
		call("g/b")
		if n := r.starters[0].servedCalls() - before; n != 1 {
			t.Errorf("it served %d calls of a function with a worker there", n)
		}
		r.starters[0].fail = nil
		time.Sleep(failureMemory + time.Second)
		call("g/d")
		if n := r.starters[0].servedCalls() - before; n != 2 {
			t.Errorf("it served %d calls in all, want one more once starts go well", n)
		}
	})
}

// Code that fetches has one too, where Node.js has fetch, and no other code.
func TestFunctionsThatFetchHaveAForkServerOnceItIsThere(t *testing.T) {
	for _, hasFetch := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newExtraRig(t)
			r.current.Load().parts["node"].cfg.hasFetch = hasFetch
			fetch := func() {
				inv := invocation("g/fetch", "1ms")
				inv.Fetches = true
				if _, err := r.Invoke(t.Context(), inv); err != nil {
					t.Error(err)
				}
			}
			fetch()
			time.Sleep(time.Second)
			for range 3 {
				fetch()
			}
			r.call(t, "g/f", 0)
			switch {
			case !hasFetch && len(r.opened) != 0:
				t.Errorf("opened %v MiB", r.opened)
			case hasFetch && (len(r.opened) != 1 || r.starters[0].servedCalls() != 3):
				t.Errorf("opened %v MiB", r.opened)
			}
		})
	}
}

// servedCalls is how many calls its workers have served.
func (s *fakeStarter) servedCalls() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.children {
		c.mu.Lock()
		n += c.calls
		c.mu.Unlock()
	}
	return n
}
