package replica_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/replica"
)

// source has texts, or fails.
type source struct {
	mu    sync.Mutex // guards the fields below
	texts []string
	err   error
	reads int
}

func (s *source) set(err error, texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts, s.err = texts, err
}

func (s *source) read(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return slices.Clone(s.texts), s.err
}

// kept is a Keeper and what it has.
type kept struct {
	*replica.Keeper[[]string]
	texts atomic.Pointer[[]string]
	used  atomic.Int64
}

func keep(read func(context.Context) ([]string, error), log *slog.Logger) *kept {
	k := new(kept)
	use := func(texts []string) {
		k.texts.Store(&texts)
		k.used.Add(1)
	}
	k.Keeper = replica.New(replica.Options[[]string]{
		Name: "Texts", Read: read, Use: use, Same: slices.Equal[[]string], Log: log,
	})
	return k
}

func (k *kept) wantHas(t *testing.T, text string, want bool) {
	t.Helper()
	if texts := k.texts.Load(); (texts != nil && slices.Contains(*texts, text)) != want {
		t.Errorf("%q is among %v: want %t", text, texts, want)
	}
}

func TestAKeeperFollowsItsStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, log := &source{err: errors.New("away")}, new(strings.Builder)
		k := keep(s.read, slog.New(slog.NewTextHandler(log, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			k.Run(ctx)
		}()
		synctest.Wait()
		if k.Loaded() {
			t.Error("what could not be read is known")
		}
		s.set(nil, "a")
		time.Sleep(2 * time.Second) // of the fake clock
		k.wantHas(t, "a", true)
		s.set(nil, "b")
		synctest.Wait()
		k.wantHas(t, "b", false)
		k.Changed()
		synctest.Wait()
		k.wantHas(t, "b", true)
		k.wantHas(t, "a", false)
		s.set(nil, "c") // whose notice is lost
		time.Sleep(time.Minute)
		k.wantHas(t, "c", true)
		if n := k.used.Load(); n != 3 {
			t.Errorf("what was read is used %d times, want once for each change", n)
		}
		s.set(errors.New("away again"))
		k.Changed()
		time.Sleep(time.Minute)
		k.wantHas(t, "c", true)
		cancel()
		<-done
		if said := log.String(); strings.Count(said, "Texts cannot be read") != 2 {
			t.Errorf("the log says %s", said)
		}
	})
}

// lateSource has texts as they are when its first reading begins, which ends once calls of Load have asked.
type lateSource struct {
	source
	k     *kept
	calls int
	first sync.Once
	begun chan struct{} // closed when the first reading knows its texts
}

func (s *lateSource) read(ctx context.Context) ([]string, error) {
	all, err := s.source.read(ctx)
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
	s.k = keep(s.read, slog.New(slog.DiscardHandler))
	var calls sync.WaitGroup
	write := func(text string) {
		s.mu.Lock()
		s.texts = append(s.texts, text)
		s.mu.Unlock()
		if err := s.k.Load(t.Context()); err != nil {
			t.Error(err)
		}
		s.k.wantHas(t, text, true)
	}
	calls.Go(func() { write("first") })
	<-s.begun
	for i := range writers {
		calls.Go(func() { write(strings.Repeat("x", i)) })
	}
	calls.Wait()
	if s.reads != 2 {
		t.Errorf("%d readings for %d loads, want 2", s.reads, s.calls)
	}
}
