package calls

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store/feed"
	"github.com/backstage/functions/internal/store/line"
	"github.com/backstage/functions/sandbox"
)

// skewed is a queue whose clock is not that of this process.
type skewed struct {
	line.Calls
	feed.Messages
	noRenewals bool
}

func newSkewed(by time.Duration) *skewed {
	l := line.New(&line.Memory{}, func() time.Time { return time.Now().Add(by) })
	return &skewed{Calls: line.CallsOf(l, func(_ context.Context, _ string, what func() error) error { return what() })}
}

func (s *skewed) RenewCalls(
	ctx context.Context, renewals []queue.Renewal, lease time.Duration,
) (lost []queue.Lease, err error) {
	if s.noRenewals {
		return nil, errAway
	}
	return s.Calls.RenewCalls(ctx, renewals, lease)
}

// waits notes how long calls waited.
type waits struct {
	unobserved
	mu  sync.Mutex // guards all
	all []time.Duration
}

func (w *waits) CallStarted(waited time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, waited)
}

// TestNoClockOfAServerMatters has servers whose clocks are years off those of the store. Their calls run as ever: they
// keep their leases, and lose them only when they cannot be renewed for as long as a lease is.
func TestNoClockOfAServerMatters(t *testing.T) {
	const years = 10 * 365 * 24 * time.Hour
	for _, by := range []time.Duration{-years, -time.Minute, 0, time.Minute, years} {
		for _, away := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v, away %v", by, away), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { runSkewed(t, by, away) })
			})
		}
	}
}

func runSkewed(t *testing.T, by time.Duration, away bool) {
	t.Helper()
	const long = 3 * DefaultLease
	s, seen := newSkewed(by), &waits{}
	s.noRenewals = away
	var ran []time.Duration
	runs := &running{do: func(ctx context.Context, c invoke.Call) (*sandbox.Result, error) {
		begun := time.Now()
		result, err := sleeping(long)(ctx, c)
		ran = append(ran, time.Since(begun))
		return result, err
	}}
	e := New(Options{
		Queue: s, Invoker: runs, Observer: seen, Limits: queue.Limits{Calls: 10, Bytes: 1 << 30},
		Spare: func(l Load) int { return 1 - l.Running },
	})
	ctx, cancel := context.WithCancel(t.Context())
	var engine sync.WaitGroup
	engine.Go(func() { e.Run(ctx) })
	payload, err := EncodeRequest(&sandbox.Request{Method: http.MethodPut, Header: []byte("{}"), Query: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Put(t.Context(), &queue.Spec{
		ID: "1", Ref: ref, Payload: payload, Attempts: 1, MaxAge: time.Hour, Keep: time.Hour, KeepDead: time.Hour,
	}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * long)
	c, err := e.Get(t.Context(), ref, "1")
	if err != nil {
		t.Fatal(err)
	}
	want, lasted := queue.Succeeded, long
	if away {
		want, lasted = queue.Dead, DefaultLease // another server may have it from then on
	}
	if c.Status != want || c.Takes != 1 || len(ran) != 1 || ran[0] < lasted || ran[0] > lasted+DefaultLease/2 {
		t.Errorf("%s after %d takes, ran %v; want %s after %v", c.Status, c.Takes, ran, want, lasted)
	}
	if len(seen.all) != 1 || seen.all[0] > time.Second {
		t.Errorf("waited %v", seen.all)
	}
	cancel()
	engine.Wait()
	e.Close(t.Context())
}
