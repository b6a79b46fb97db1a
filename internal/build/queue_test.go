package build

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// queued is a queue whose builds are held until they are told to end.
type queued struct {
	*queue
	mu    sync.Mutex // guards the fields below
	began []string   // names, in their order
	ended map[string]error
	ends  map[string]chan struct{}
}

func newQueued(most, waits int) *queued {
	return &queued{queue: newQueue(most, waits), ended: map[string]error{}, ends: map[string]chan struct{}{}}
}

// start begins a build of an owner, whose name begins with it. It returns when the build is under way, waits or is
// refused.
func (q *queued) start(ctx context.Context, name string) {
	end := make(chan struct{})
	q.mu.Lock()
	q.ends[name] = end
	q.mu.Unlock()
	go func() {
		leave, err := q.enter(ctx, name[:1], time.Hour)
		q.mu.Lock()
		if err == nil {
			q.began = append(q.began, name)
		} else {
			q.ended[name] = err
		}
		q.mu.Unlock()
		if err == nil {
			<-end
			leave()
		}
	}()
	synctest.Wait()
}

func (q *queued) end(name string) {
	close(q.ends[name])
	synctest.Wait()
}

func (q *queued) wantBegan(t *testing.T, want ...string) {
	t.Helper()
	q.mu.Lock()
	defer q.mu.Unlock()
	if !slices.Equal(q.began, want) {
		t.Errorf("began %q, want %q", q.began, want)
	}
}

func TestOwnersShareTheBuildsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueued(2, 10)
		for _, name := range []string{"a1", "a2", "a3", "a4", "b1", "b2"} {
			q.start(t.Context(), name)
		}
		q.wantBegan(t, "a1", "a2")
		q.end("a1")
		q.wantBegan(t, "a1", "a2", "b1") // b has none under way
		q.end("a2")
		q.wantBegan(t, "a1", "a2", "b1", "a3")
		q.end("b1")
		q.wantBegan(t, "a1", "a2", "b1", "a3", "b2")
		q.end("a3")
		q.end("b2")
		q.end("a4")
		q.wantBegan(t, "a1", "a2", "b1", "a3", "b2", "a4")
		if q.busy != 0 || len(q.under) > 0 || len(q.waiting) > 0 {
			t.Errorf("%d places are taken, %v, %d wait", q.busy, q.under, len(q.waiting))
		}
	})
}

func TestOwnersShareThePlacesToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueued(1, 4)
		for _, name := range []string{"a1", "a2", "a3", "a4", "a5", "a6", "b1", "b2", "b3"} {
			q.start(t.Context(), name)
		}
		for name, want := range map[string]bool{"a6": true, "a5": true, "a4": true, "b3": true, "a2": false, "a3": false, "b1": false} {
			if got := errors.Is(q.ended[name], ErrBusy); got != want {
				t.Errorf("%s is refused: %t", name, got)
			}
		}
		for _, name := range []string{"a1", "b1", "a2", "b2", "a3"} {
			q.end(name)
		}
		if q.busy != 0 || len(q.waiting) > 0 {
			t.Errorf("%d places are taken, %d wait", q.busy, len(q.waiting))
		}
	})
}

func TestABuildDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueued(1, 4)
		q.start(t.Context(), "a1")
		cause := errors.New("the caller has gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		q.start(ctx, "a2")
		q.start(t.Context(), "b1")
		cancel(cause)
		synctest.Wait()
		time.Sleep(time.Hour) // of the fake clock
		synctest.Wait()
		if !errors.Is(q.ended["a2"], cause) || !errors.Is(q.ended["b1"], ErrBusy) {
			t.Errorf("ended with %v", q.ended)
		}
		q.end("a1")
		q.start(t.Context(), "c1")
		q.wantBegan(t, "a1", "c1")
		q.end("c1")
	})
}
