package limits_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/internal/usage"
)

// shared is a store that may be away.
type shared struct {
	*mem.Store
	away   atomic.Bool
	leases atomic.Int64
}

var errAway = errors.New("away")

func (s *shared) AddUsage(ctx context.Context, b usage.Batch) (usage.Totals, error) {
	if s.away.Load() {
		return usage.Totals{}, errAway
	}
	return s.Store.AddUsage(ctx, b)
}

func (s *shared) TakeTokens(ctx context.Context, takes []usage.Take) ([]usage.Grant, error) {
	s.leases.Add(1)
	if s.away.Load() {
		return nil, errAway
	}
	return s.Store.TakeTokens(ctx, takes)
}

// fleet are servers that share a store, in the time of a synctest bubble.
type fleet struct {
	store   *shared
	servers []*limits.Limiter
	stop    func()
}

func newFleet(t *testing.T, servers int, o limits.Options) *fleet {
	t.Helper()
	f := &fleet{store: &shared{Store: mem.New()}}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	o.Store, o.Memory = f.store, 64<<20
	if o.Table == nil {
		o.Table = limits.NewTable("")
	}
	for range servers {
		l := limits.New(o)
		f.servers = append(f.servers, l)
		running.Go(func() { l.Run(ctx) })
	}
	f.stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(f.stop)
	time.Sleep(11 * time.Second) // until all know how many they are
	return f
}

func namespaced(name string) limits.Call {
	return limits.Call{Function: &function.Function{Ref: function.Ref{Namespace: name, ID: "f"}}}
}

// callFor has each of the servers call every so often for a time, and returns how many calls began there.
func (f *fleet) callFor(t *testing.T, c limits.Call, pause, total time.Duration, servers ...int) []int {
	t.Helper()
	began := make([]int, len(f.servers))
	var calling sync.WaitGroup
	for _, i := range servers {
		calling.Go(func() {
			for end := time.Now().Add(total); time.Now().Before(end); time.Sleep(pause) {
				running, err := f.servers[i].Begin(t.Context(), c)
				if err == nil {
					began[i]++
					running.Done(time.Millisecond, 0, time.Second)
				} else if o := outcome.Of(err); o.Status != 429 || o.RetryAfter <= 0 {
					t.Errorf("refused with %v, %+v", err, o)
				}
			}
		})
	}
	calling.Wait()
	return began
}

func sum(all []int) (n int) {
	for _, one := range all {
		n += one
	}
	return n
}

// wantNear fails unless got is from want to want and so many percent, and a burst.
func wantNear(t *testing.T, what string, got, want, burst, percent int) {
	t.Helper()
	if got < want*(100-percent)/100 || got > want*(100+percent)/100+burst {
		t.Errorf("%s: %d calls began, want %d within %d %% and a burst of %d", what, got, want, percent, burst)
	}
}

var hundred = usage.Limits{Rate: usage.Rate{Calls: 100, Per: time.Second}}

func TestServersShareARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 3, limits.Options{Namespace: hundred})
		wantNear(t, "three servers", sum(f.callFor(t, namespaced("a"), 3*time.Millisecond, 20*time.Second, 0, 1, 2)), 2000, 100, 5)
		wantNear(t, "one of three", sum(f.callFor(t, namespaced("b"), 3*time.Millisecond, 20*time.Second, 1)), 2000, 100, 5)
		slow := limits.Call{Key: limits.Key{ID: "K", Limits: usage.Limits{Rate: usage.Rate{Calls: 6, Per: time.Minute}}}}
		slow.Function = &function.Function{Ref: function.Ref{Namespace: "c", ID: "f"}}
		wantNear(t, "a slow rate", sum(f.callFor(t, slow, 100*time.Millisecond, 10*time.Minute, 0, 1, 2)), 60, 9, 5)
	})
}

// Where calls are refused, most are without the store.
func TestRefusalsAskTheStoreSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1, limits.Options{Namespace: hundred})
		f.callFor(t, namespaced("a"), 100*time.Microsecond, 10*time.Second, 0)
		if n := f.store.leases.Load(); n > 300 {
			t.Errorf("the store was asked %d times for 100,000 calls of which 1,000 began", n)
		}
	})
}

func TestARateHoldsWhileTheStoreIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 3, limits.Options{Namespace: hundred})
		before := sum(f.callFor(t, namespaced("a"), 3*time.Millisecond, 10*time.Second, 0, 1, 2))
		f.store.away.Store(true)
		away := f.callFor(t, namespaced("a"), 3*time.Millisecond, 10*time.Second, 0, 1, 2)
		wantNear(t, "without the store", sum(away), 1000, 0, 10)
		for i, n := range away {
			wantNear(t, fmt.Sprintf("server %d alone", i), n, 333, 0, 10)
		}
		if s := f.servers[0].Stats(); s.Alone != 1 || s.Unsent == 0 || s.Failures == 0 || s.Servers != 3 {
			t.Errorf("without the store: %+v", s)
		}
		f.store.away.Store(false)
		after := sum(f.callFor(t, namespaced("a"), 3*time.Millisecond, 10*time.Second, 0, 1, 2))
		wantNear(t, "in all", before+sum(away)+after, 3000, 200, 5)
		if s := f.servers[0].Stats(); s.Alone != 0 || s.Unsent != 0 {
			t.Errorf("with the store again: %+v", s)
		}
	})
}

// One who has not heard of the store since its namespace was called for the first time has its share as well.
func TestARateThatIsNewWhileTheStoreIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 3, limits.Options{Namespace: hundred})
		f.store.away.Store(true)
		wantNear(t, "new without the store", sum(f.callFor(t, namespaced("a"), 3*time.Millisecond, 10*time.Second, 0, 1, 2)), 1000, 10, 10)
	})
}

func TestServersShareAQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 3, limits.Options{Namespace: usage.Limits{Quotas: usage.Quotas{Calls: 3000}}})
		wantNear(t, "three servers", sum(f.callFor(t, namespaced("a"), 3*time.Millisecond, 20*time.Second, 0, 1, 2)), 3000, 0, 2)
		wantNear(t, "one of three", sum(f.callFor(t, namespaced("b"), 3*time.Millisecond, 30*time.Second, 2)), 3000, 0, 2)
		if n := sum(f.callFor(t, namespaced("a"), time.Second, time.Minute, 0, 1, 2)); n != 0 {
			t.Errorf("%d calls began beyond the quota", n)
		}
		_, err := f.servers[0].Begin(t.Context(), namespaced("a"))
		if o := outcome.Of(err); o.Reason != "quota" || o.Message != "The namespace a may use 3000 calls a day (UTC), and has used them" {
			t.Errorf("refused with %+v", o)
		}
		time.Sleep(outcome.Of(err).RetryAfter) // until the next day
		wantNear(t, "the next day", sum(f.callFor(t, namespaced("a"), 3*time.Millisecond, 20*time.Second, 0, 1, 2)), 3000, 0, 2)
	})
}

func TestAQuotaHoldsWhileTheStoreIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 3, limits.Options{Namespace: usage.Limits{Quotas: usage.Quotas{Calls: 3000}}})
		before := sum(f.callFor(t, namespaced("a"), 10*time.Millisecond, 2*time.Second, 0, 1, 2))
		f.store.away.Store(true)
		away := f.callFor(t, namespaced("a"), 3*time.Millisecond, 20*time.Second, 0, 1, 2)
		for i, n := range away {
			if n < 500 {
				t.Errorf("server %d had %d calls alone", i, n)
			}
		}
		f.store.away.Store(false)
		time.Sleep(12 * time.Second)
		after := sum(f.callFor(t, namespaced("a"), 3*time.Millisecond, 20*time.Second, 0, 1, 2))
		wantNear(t, "in all", before+sum(away)+after, 3000, 0, 10)
	})
}

func TestEachQuotaHolds(t *testing.T) {
	for name, row := range map[string]struct {
		quotas usage.Quotas
		use    func(*limits.Limiter, *limits.Running)
		want   string
	}{
		"calls": {usage.Quotas{Calls: 3}, func(*limits.Limiter, *limits.Running) {}, "3 calls"},
		"cpu":   {usage.Quotas{CPU: 3 * time.Second}, func(_ *limits.Limiter, r *limits.Running) { r.Done(time.Second, 0, 0) }, "3s of processors"},
		"egress": {usage.Quotas{Egress: 3 << 20}, func(l *limits.Limiter, _ *limits.Running) {
			l.Sent(function.Ref{Namespace: "a", ID: "f"}, "call", 1<<20)
		}, "3mb of egress"},
	} {
		for _, of := range []string{"namespace a", "function a/f", "key K", "owner a"} {
			t.Run(name+" of "+of, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					own, o := usage.Limits{Quotas: row.quotas}, limits.Options{}
					c := namespaced("a")
					c.ID = "call"
					switch of {
					case "namespace a":
						o.Table = limits.NewTable("+")
						o.Table.Set([]usage.Namespace{{Name: "a", Limits: own}})
						o.Table = limits.NewTable("")
						o.Table.Set([]usage.Namespace{{Name: "a", Limits: own}})
					case "owner a":
						o.Table = limits.NewTable("+")
						o.Table.Set([]usage.Namespace{{Name: "a", Limits: own}})
					case "function a/f":
						c.Function.Options.Quotas = &row.quotas
					default:
						c.Key = limits.Key{ID: "K", Limits: own}
					}
					f := newFleet(t, 1, o)
					for range 3 {
						running, err := f.servers[0].Begin(t.Context(), c)
						if err != nil {
							t.Fatal(err)
						}
						row.use(f.servers[0], &running)
					}
					_, err := f.servers[0].Begin(t.Context(), c)
					want := of + " may use " + row.want + " a day (UTC), and has used them"
					if refused, ok := errors.AsType[*limits.QuotaError](err); !ok || refused.Error() != want {
						t.Errorf("refused with %v, want %s", err, want)
					}
					if _, err := f.servers[0].Begin(t.Context(), namespaced("other")); err != nil {
						t.Errorf("another namespace: %v", err)
					}
				})
			})
		}
	}
}

func TestUsageIsKeptWhileTheStoreIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		f := newFleet(t, 1, limits.Options{})
		f.callFor(t, namespaced("a"), time.Second, 30*time.Second, 0)
		f.store.away.Store(true)
		f.callFor(t, namespaced("a"), time.Minute, 3*time.Hour, 0)
		refused, err := f.servers[0].Begin(t.Context(), namespaced("a"))
		if err != nil {
			t.Fatal(err)
		}
		refused.Refused() // by the pool, which is no call
		f.store.away.Store(false)
		time.Sleep(2 * time.Second)
		f.callFor(t, namespaced("a"), time.Minute, time.Minute, 0)
		f.stop() // sends the last of it
		hours, err := f.store.Usage(t.Context(), usage.Subject{Kind: usage.OfNamespace, Name: "a"}, begin, time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		var total usage.Amount
		for _, r := range hours {
			total.Add(r.Amount)
		}
		const calls = 30 + 180 + 1
		want := usage.Amount{Calls: calls, CPU: calls * time.Millisecond, Memory: calls * 64 * 1000}
		if total != want || len(hours) != 4 {
			t.Errorf("%d hours with %+v, want 4 with %+v", len(hours), total, want)
		}
	})
}

// What nobody calls takes no memory.
func TestWhatIsIdleIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1, limits.Options{Function: hundred, Key: hundred})
		for i := range 10_000 {
			c := namespaced("a")
			c.Function.ID, c.Key.ID = fmt.Sprint("f", i), fmt.Sprint("K", i)
			running, err := f.servers[0].Begin(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			running.Done(0, 0, 0)
		}
		if s := f.servers[0].Stats(); s.Entries != 20_001 {
			t.Errorf("%+v", s)
		}
		time.Sleep(2 * time.Minute)
		if s := f.servers[0].Stats(); s.Entries != 0 {
			t.Errorf("later %+v", s)
		}
	})
}

func TestCallsAreToldHowLimitsStand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1, limits.Options{Namespace: usage.Limits{
			Rate: usage.Rate{Calls: 2, Per: time.Minute}, Quotas: usage.Quotas{Calls: 10},
		}})
		c := namespaced("a")
		var told []limits.Standing
		c.Standing = func(all []limits.Standing) { told = all }
		for i, want := range []int64{1, 0, 0} {
			_, err := f.servers[0].Begin(t.Context(), c)
			if (err != nil) != (i == 2) {
				t.Fatal(err)
			}
			time.Sleep(time.Second) // tokens that are asked for have come
			if len(told) != 2 || told[0].Name != "namespace" || told[0].Quota != 2 || told[0].Window != time.Minute || told[0].Remaining != want ||
				told[1].Name != "namespace-day" || told[1].Window != 24*time.Hour {
				t.Errorf("call %d is told %+v, want %d remaining", i, told, want)
			}
		}
		told = nil
		if _, err := f.servers[0].Begin(t.Context(), limits.Call{Function: c.Function, Standing: nil}); err == nil {
			t.Error("a call began beyond the rate")
		}
	})
}

// BenchmarkWithoutLimits is what counting adds to a call that has no limits.
func BenchmarkWithoutLimits(b *testing.B) {
	l := limits.New(limits.Options{Store: mem.New(), Table: limits.NewTable("")})
	c := namespaced("a")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			running, err := l.Begin(b.Context(), c)
			if err != nil {
				b.Error(err)
			}
			running.Done(time.Millisecond, 0, time.Millisecond)
		}
	})
}

// slow is a store that takes a minute to add usage, unless the caller ends that.
type slow struct {
	*mem.Store
	added atomic.Int64
}

func (s *slow) AddUsage(ctx context.Context, b usage.Batch) (usage.Totals, error) {
	if s.added.Add(1) > 1 {
		return s.Store.AddUsage(ctx, b)
	}
	select {
	case <-ctx.Done():
		return usage.Totals{}, ctx.Err()
	case <-time.After(time.Minute):
		return s.Store.AddUsage(ctx, b)
	}
}

func TestAStopIsNoFaultOfTheStore(t *testing.T) {
	for wait, want := range map[time.Duration]int{time.Second: 0, 10 * time.Second: 2} { // it is given 5 seconds
		synctest.Test(t, func(t *testing.T) {
			var log strings.Builder
			store := &slow{Store: mem.New()}
			l := limits.New(limits.Options{
				Store: store, Memory: 64 << 20, Table: limits.NewTable(""), Logger: slog.New(slog.NewTextHandler(&log, nil)),
			})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(wait, cancel)
			l.Run(ctx)
			if got := strings.Count(log.String(), "\n"); got != want || store.added.Load() < 2 {
				t.Errorf("stopped after %s it sent %d times and said:\n%s", wait, store.added.Load(), log.String())
			}
		})
	}
}
