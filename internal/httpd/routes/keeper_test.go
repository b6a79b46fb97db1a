package routes_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/routes"
)

// source has routes, or fails.
type source struct {
	mu    sync.Mutex // guards the fields below
	paths []string
	err   error
	reads int
}

func (s *source) set(err error, paths ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths, s.err = paths, err
}

func (s *source) Routes(context.Context) (all []function.Route, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	for _, path := range s.paths {
		all = append(all, function.Route{Name: path, Path: path, Function: function.Ref{Namespace: "n", ID: path}})
	}
	return all, s.err
}

func wantFound(t *testing.T, k *routes.Keeper, path string, want bool) {
	t.Helper()
	if _, ok := k.Find("h", path); ok != want {
		t.Errorf("%s is found: %t, want %t", path, ok, want)
	}
}

func TestAKeeperFollowsItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, log := &source{err: errors.New("away")}, new(strings.Builder)
		k := routes.NewKeeper(s, slog.New(slog.NewTextHandler(log, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			k.Run(ctx)
		}()
		synctest.Wait()
		if k.Loaded() {
			t.Error("routes are known that could not be read")
		}
		s.set(nil, "/a")
		time.Sleep(2 * time.Second) // of the fake clock
		wantFound(t, k, "/a", true)
		s.set(nil, "/b")
		synctest.Wait()
		wantFound(t, k, "/b", false)
		k.Changed()
		synctest.Wait()
		wantFound(t, k, "/b", true)
		wantFound(t, k, "/a", false)
		s.set(nil, "/c") // whose notice is lost
		time.Sleep(time.Minute)
		wantFound(t, k, "/c", true)
		s.set(errors.New("away again"))
		k.Changed()
		time.Sleep(time.Minute)
		wantFound(t, k, "/c", true)
		cancel()
		<-done
		if said := log.String(); strings.Count(said, "cannot be read") != 2 {
			t.Errorf("the log says %s", said)
		}
	})
}

// lateSource has routes as they are when its first reading begins, which ends once calls of k.Load have asked.
type lateSource struct {
	source
	k     *routes.Keeper
	calls int
	first sync.Once
	begun chan struct{} // closed when the first reading knows its routes
}

func (s *lateSource) Routes(ctx context.Context) ([]function.Route, error) {
	all, err := s.source.Routes(ctx)
	s.first.Do(func() {
		close(s.begun)
		for s.k.Asked() < s.calls {
			runtime.Gosched()
		}
	})
	return all, err
}

// One reading is too old for 50 calls that have asked while it went on; the next one serves them all.
func TestALoadSeesWhatWasWrittenBeforeIt(t *testing.T) {
	const writers = 50
	s := &lateSource{calls: 1 + writers, begun: make(chan struct{})}
	k := routes.NewKeeper(s, slog.New(slog.DiscardHandler))
	s.k = k
	var calls sync.WaitGroup
	write := func(path string) {
		s.mu.Lock()
		s.paths = append(s.paths, path)
		s.mu.Unlock()
		if err := k.Load(t.Context()); err != nil {
			t.Error(err)
		}
		wantFound(t, k, path, true)
	}
	calls.Go(func() { write("/first") })
	<-s.begun
	for i := range writers {
		calls.Go(func() { write("/" + strings.Repeat("x", i)) })
	}
	calls.Wait()
	if s.reads != 2 {
		t.Errorf("%d readings for %d loads, want 2", s.reads, s.calls)
	}
}
