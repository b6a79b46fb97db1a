package sandbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// livePool is a pool of the fake runtimes "first" and "second", and the starters of all that there ever were, in the
// order of their starts.
func livePool(t *testing.T, cfg Config) (*Pool, *[]*fakeStarter) {
	t.Helper()
	var starters []*fakeStarter
	p := emptyPool(cfg, func(cfg *Config) (starter, error) {
		s := &fakeStarter{startTime: 5 * time.Millisecond, reapTime: time.Millisecond}
		if strings.HasSuffix(cfg.Node, "broken") {
			s.fail = func(int) error { return errors.New("does not start") }
		}
		starters = append(starters, s)
		return s, nil
	})
	for _, name := range []string{"first", "second"} {
		addFake(t, p, name)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		for i, s := range starters {
			if alive, closed := s.state(); alive > 0 || !closed {
				t.Errorf("after Close %d workers of the starter %d live, closed: %v", alive, i, closed)
			}
		}
	})
	return p, &starters
}

// state says how many of its children live, and whether it was closed.
func (s *fakeStarter) state() (alive int, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.alive, s.closed
}

// sharing is how many parts share the budget.
func (p *Pool) sharing() int {
	p.budget.mu.Lock()
	defer p.budget.mu.Unlock()
	return len(p.budget.schedulers)
}

// addFake is Pool.Add without a look at the binary.
func addFake(t *testing.T, p *Pool, name string) {
	t.Helper()
	if err := p.beginChange(); err != nil {
		t.Fatal(err)
	}
	defer p.endChange()
	if err := p.start(t.Context(), Runtime{Name: name, Node: "/node", Version: "v24.0.0"}); err != nil {
		t.Fatal(err)
	}
}

// on is an invocation of key "group/name" that takes a while on a runtime.
func on(runtime, key, takes string) *Invocation {
	inv := invocation(key, takes)
	inv.Runtime = runtime
	return inv
}

// invoked has inv run in the background.
func invoked(p *Pool, inv *Invocation) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := p.Invoke(context.Background(), inv)
		done <- err
	}()
	synctest.Wait()
	return done
}

func TestRuntimeIsAddedWhileThePoolRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := livePool(t, fakeConfig(4, 1))
		var unknown *RuntimeError
		if _, err := p.Invoke(t.Context(), on("third", "a/f", "1ms")); !errors.As(err, &unknown) {
			t.Errorf("before it is there: %v", err)
		}
		running := invoked(p, on("second", "a/f", "1h"))
		addFake(t, p, "third")
		if _, err := p.Invoke(t.Context(), on("third", "a/g", "1ms")); err != nil {
			t.Errorf("a call of the new runtime: %v", err)
		}
		if got := fmt.Sprint(p.current.Load().names()); got != "[first second third]" {
			t.Errorf("the runtimes are %s", got)
		}
		if s := p.Snapshot(); len(s.Runtimes) != 3 || s.Err != nil || s.Runtimes["third"].Runtime.Version != "v24.0.0" {
			t.Errorf("the snapshot is %+v", s)
		}
		if err := <-running; err != nil {
			t.Errorf("a call that ran meanwhile: %v", err)
		}
	})
}

func TestRuntimeThatDoesNotStartIsNotAdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := livePool(t, fakeConfig(4, 1))
		for range 3 {
			if err := p.start(t.Context(), Runtime{Name: "second", Node: "/broken"}); err == nil {
				t.Error("a runtime that does not start was added")
			}
		}
		if n := p.sharing(); n != 2 {
			t.Errorf("%d pools share the budget, want 2", n)
		}
		if _, err := p.Invoke(t.Context(), on("second", "a/f", "1ms")); err != nil {
			t.Errorf("the runtime that it was to replace: %v", err)
		}
	})
}

func TestRemovedRuntimeFinishesItsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(2, 1)
		cfg.QueueTimeout = time.Hour
		p, starters := livePool(t, cfg)
		idle := invoked(p, on("second", "a/idle", "1ms"))
		if err := <-idle; err != nil {
			t.Fatal(err)
		}
		running := []<-chan error{invoked(p, on("second", "a/f", "10m")), invoked(p, on("second", "b/f", "10m"))}
		time.Sleep(time.Second) // both have a worker
		waiting := invoked(p, on("second", "a/f", "1ms"))
		elsewhere := invoked(p, on("first", "c/f", "1ms"))
		if err := p.Remove("second"); err != nil {
			t.Fatal(err)
		}
		var unknown *RuntimeError
		if err := <-waiting; !errors.As(err, &unknown) || fmt.Sprint(unknown.Known) != "[first]" {
			t.Errorf("a call that waited for it: %v", err)
		}
		if _, err := p.Invoke(t.Context(), on("second", "a/f", "1ms")); !errors.As(err, &unknown) {
			t.Errorf("a call after it: %v", err)
		}
		if err := p.Remove("second"); !errors.As(err, &unknown) {
			t.Errorf("removed twice: %v", err)
		}
		for _, done := range append(running, elsewhere) {
			if err := <-done; err != nil {
				t.Errorf("a call that ran or waits for another runtime: %v", err)
			}
		}
		time.Sleep(time.Second)
		if alive, closed := (*starters)[1].state(); !closed || alive > 0 || p.sharing() != 1 {
			t.Errorf("it is closed: %v, %d of its workers live, %d pools share the budget", closed, alive,
				p.sharing())
		}
		for range 3 {
			addFake(t, p, "second")
			if _, err := p.Invoke(t.Context(), on("second", "a/f", "1ms")); err != nil {
				t.Errorf("added again: %v", err)
			}
			if err := p.Remove("second"); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestUnusedWorkersOfARemovedRuntimeMakeRoomAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, starters := livePool(t, fakeConfig(8, 1))
		long := invoked(p, on("second", "a/long", "1h"))
		for i := range 4 {
			if err := <-invoked(p, on("second", fmt.Sprint("a/", i), "1ms")); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Remove("second"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if n, _ := (*starters)[1].state(); n != 1 {
			t.Errorf("%d workers of it live while one call runs", n)
		}
		if err := <-long; err != nil {
			t.Error(err)
		}
	})
}

func TestReplacedRuntimeHandsOnTheCallsThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(2, 0)
		cfg.QueueTimeout = time.Hour
		p, starters := livePool(t, cfg)
		running := []<-chan error{invoked(p, on("second", "a/f", "10m")), invoked(p, on("second", "b/f", "20m"))}
		time.Sleep(time.Second)
		waiting := invoked(p, on("second", "c/f", "1ms"))
		addFake(t, p, "second")
		for _, done := range append(running, waiting) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if got := fmt.Sprint(p.current.Load().names()); got != "[first second]" || len(*starters) != 3 {
			t.Errorf("the runtimes are %s, of %d starters", got, len(*starters))
		}
		addFake(t, p, "first")
		if _, err := p.Invoke(t.Context(), on("", "a/f", "1ms")); err != nil || p.Runtimes()[0].Name != "first" {
			t.Errorf("the first runtime replaced: %v, %v", err, p.Runtimes())
		}
	})
}

func TestFirstRuntimeStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := livePool(t, fakeConfig(2, 1))
		if err := p.Remove("first"); !errors.Is(err, ErrFirstRuntime) {
			t.Errorf("removing the first runtime: %v", err)
		}
		if _, err := p.Invoke(t.Context(), on("first", "a/f", "1ms")); err != nil {
			t.Error(err)
		}
	})
}

func TestShutdownCutsOffCallsOfARemovedRuntime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, starters := livePool(t, fakeConfig(2, 1))
		running := invoked(p, on("second", "a/f", "100h"))
		if err := p.Remove("second"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		var death *DeathError
		if err := <-running; !errors.As(err, &death) || death.Reason != ReasonClosed {
			t.Errorf("the call ended with %v", err)
		}
		if n, _ := (*starters)[1].state(); n != 0 {
			t.Errorf("%d of its workers live", n)
		}
		if err := p.Remove("second"); !errors.Is(err, ErrClosed) {
			t.Errorf("Remove after Shutdown: %v", err)
		}
		if err := p.Add(t.Context(), Runtime{Name: "third", Node: "/node"}); !errors.Is(err, ErrClosed) {
			t.Errorf("Add after Shutdown: %v", err)
		}
	})
}

func TestPoolThatIsClosedDuringAnAddHasNoWorkersLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, starters := livePool(t, fakeConfig(2, 1))
		added := make(chan error, 1)
		go func() {
			if err := p.beginChange(); err != nil {
				added <- err
				return
			}
			defer p.endChange()
			added <- p.start(context.Background(), Runtime{Name: "third", Node: "/node"})
		}()
		synctest.Wait() // its first worker is being started
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := <-added; !errors.Is(err, ErrClosed) {
			t.Errorf("it was added: %v", err)
		}
		if alive, closed := (*starters)[2].state(); alive != 0 || !closed {
			t.Errorf("%d of its workers live, closed: %v", alive, closed)
		}
	})
}

func TestRemovedRuntimeEndsItsForkServersForMoreMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(4, 1)
		cfg.LargestMemory = 1 << 30
		p, starters := livePool(t, cfg)
		large := func(takes string) *Invocation {
			inv := on("second", "a/f", takes)
			inv.Memory = 200 << 20
			return inv
		}
		running := invoked(p, large("10m"))
		addFake(t, p, "second")
		if err := <-invoked(p, large("1ms")); err != nil {
			t.Errorf("a call of what has taken its place: %v", err)
		}
		if err := p.Remove("second"); err != nil {
			t.Fatal(err)
		}
		var unknown *RuntimeError
		if err := <-invoked(p, large("1ms")); !errors.As(err, &unknown) {
			t.Errorf("a call of a removed runtime: %v", err)
		}
		if err := <-running; err != nil {
			t.Errorf("a call that was in progress: %v", err)
		}
		time.Sleep(time.Second)
		for i, s := range (*starters)[1:] {
			if !s.hasEnded() {
				t.Errorf("the starter %d has not ended", i+1)
			}
		}
		if len(*starters) != 5 || p.sharing() != 1 {
			t.Errorf("there were %d starters, %d pools share the budget", len(*starters), p.sharing())
		}
	})
}
