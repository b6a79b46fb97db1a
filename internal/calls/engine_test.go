package calls

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/sandbox"
)

var ref = function.Ref{Namespace: "ns", ID: "id"}

// running is an Invoker that does what its function does, and counts.
type running struct {
	do   func(ctx context.Context, call invoke.Call) (*sandbox.Result, error)
	runs atomic.Int64

	mu    sync.Mutex // guards steps
	steps []string   // of pipelines, as they ran
}

func (r *running) Run(ctx context.Context, call invoke.Call) (*sandbox.Result, error) {
	r.runs.Add(1)
	if r.do == nil {
		return &sandbox.Result{Status: http.StatusOK, Body: []byte(`"done"`)}, nil
	}
	return r.do(ctx, call)
}

// sleeping takes that long, or until its context ends.
func sleeping(long time.Duration) func(context.Context, invoke.Call) (*sandbox.Result, error) {
	return func(ctx context.Context, _ invoke.Call) (*sandbox.Result, error) {
		select {
		case <-time.After(long):
			return &sandbox.Result{Status: http.StatusOK}, nil
		case <-ctx.Done():
			return nil, &sandbox.DeathError{Reason: sandbox.ReasonCanceled}
		}
	}
}

// flaky is a store that can be away.
type flaky struct {
	*mem.Store
	away, noRenewals atomic.Bool
}

var errAway = errors.Join(function.ErrUnavailable, errors.New("the store is away"))

func (f *flaky) SettleCall(ctx context.Context, s *queue.Settlement) (queue.Status, error) {
	if f.away.Load() {
		return "", errAway
	}
	return f.Store.SettleCall(ctx, s)
}

func (f *flaky) RenewCalls(
	ctx context.Context, renewals []queue.Renewal, lease time.Duration,
) (lost []queue.Lease, err error) {
	if f.away.Load() || f.noRenewals.Load() {
		return nil, errAway
	}
	return f.Store.RenewCalls(ctx, renewals, lease)
}

// rig is an engine that runs.
type rig struct {
	*Engine
	store *flaky
	runs  *running
	spare atomic.Int64
	stop  func() // ends it, and waits for its calls
}

func newRig(t *testing.T, do func(context.Context, invoke.Call) (*sandbox.Result, error)) *rig {
	t.Helper()
	r := &rig{store: &flaky{Store: mem.New()}, runs: &running{do: do}}
	r.spare.Store(4)
	r.Engine = New(Options{
		Queue: r.store, Invoker: r.runs, Limits: queue.Limits{Calls: 1000, Bytes: 1 << 30},
		Spare: func(l Load) int { return int(r.spare.Load()) - l.Running },
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx)
	}()
	r.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		r.Close(t.Context())
	})
	t.Cleanup(r.stop)
	return r
}

// put queues a call.
func (r *rig) put(t *testing.T, id string) {
	t.Helper()
	payload, err := EncodeRequest(&sandbox.Request{Method: "PUT", Header: []byte("{}"), Query: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Put(t.Context(), &queue.Spec{
		ID: id, Ref: ref, Payload: payload, Attempts: 3, Backoff: time.Second, MaxAge: time.Hour, Keep: time.Hour,
		KeepDead: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// settled waits until a call is.
func (r *rig) settled(t *testing.T, id string) *queue.Call {
	t.Helper()
	c, err := r.Await(t.Context(), ref, id, 2*time.Hour)
	if err != nil || !c.Status.Settled() {
		t.Fatalf("call %s: %+v, %v", id, c, err)
	}
	return c
}

func TestACallRunsAndItsAnswerIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		begun := time.Now()
		r.put(t, "1")
		c := r.settled(t, "1")
		a, err := r.Result(t.Context(), ref, "1")
		if c.Status != queue.Succeeded || err != nil || a.Status != 200 || string(a.Body) != `"done"` {
			t.Errorf("%+v, answer %+v, %v", c, a, err)
		}
		if waited := time.Since(begun); waited > 0 { // nobody has polled
			t.Errorf("it took %v", waited)
		}
		r.stop()
	})
}

func TestWhatFailsIsTriedAgainAndThenDead(t *testing.T) {
	for name, failure := range map[string]error{
		"thrown": &sandbox.FunctionError{Status: 500, Message: "no"},
		"exit":   &sandbox.DeathError{Reason: sandbox.ReasonExit},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(context.Context, invoke.Call) (*sandbox.Result, error) { return nil, failure })
				r.put(t, "1")
				c := r.settled(t, "1")
				if c.Status != queue.Dead || c.Used != 3 || r.runs.runs.Load() != 3 || len(c.History) != 3 || c.Reason != name {
					t.Errorf("%+v after %d runs", c, r.runs.runs.Load())
				}
				if !strings.Contains(string(c.History[2].Detail), `"reason":"`+name+`"`) {
					t.Errorf("the last attempt is %s", c.History[2].Detail)
				}
				r.stop()
			})
		})
	}
}

func TestWhatTheFunctionDecidesIsFinal(t *testing.T) {
	for name, row := range map[string]struct {
		result *sandbox.Result
		err    error
		status queue.Status
		runs   int64
	}{
		"answered 404":     {&sandbox.Result{Status: 404}, nil, queue.Succeeded, 1},
		"thrown 422":       {nil, &sandbox.FunctionError{Status: 422, HasStatus: true}, queue.Succeeded, 1},
		"answered 503":     {&sandbox.Result{Status: 503}, nil, queue.Dead, 3},
		"answered 429":     {&sandbox.Result{Status: 429}, nil, queue.Dead, 3},
		"missing function": {nil, &function.NotFoundError{Ref: ref}, queue.Dead, 1},
		"too large":        {nil, sandbox.ErrTooLarge, queue.Dead, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(context.Context, invoke.Call) (*sandbox.Result, error) { return row.result, row.err })
				r.put(t, "1")
				if c := r.settled(t, "1"); c.Status != row.status || r.runs.runs.Load() != row.runs {
					t.Errorf("%s after %d runs", c.Status, r.runs.runs.Load())
				}
				r.stop()
			})
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs []time.Time
		r := newRig(t, func(context.Context, invoke.Call) (*sandbox.Result, error) {
			runs = append(runs, time.Now())
			header := []sandbox.HeaderField{{Name: "retry-after", Value: "120"}}
			return &sandbox.Result{Status: 503, Header: header}, nil
		})
		r.put(t, "1")
		r.settled(t, "1")
		for i := 1; i < len(runs); i++ {
			if between := runs[i].Sub(runs[i-1]); between < 2*time.Minute || between > 2*time.Minute+3*time.Second {
				t.Errorf("attempt %d came %v after the one before", i+1, between)
			}
		}
		r.stop()
	})
}

// TestWhoIsToldTheSameTimeComesAtDifferentTimes has calls that are all refused until the same moment, before they start
// or by their function.
func TestWhoIsToldTheSameTimeComesAtDifferentTimes(t *testing.T) {
	busy := &sandbox.BusyError{Cause: sandbox.BusyQueueFull, RetryAfter: time.Minute}
	header := []sandbox.HeaderField{{Name: "Retry-After", Value: "60"}}
	for name, refuse := range map[string]func() (*sandbox.Result, error){
		"before": func() (*sandbox.Result, error) { return nil, busy },
		"by it":  func() (*sandbox.Result, error) { return &sandbox.Result{Status: 429, Header: header}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const all = 20
				begun, last := map[string]time.Time{}, map[time.Time]int{}
				var mu sync.Mutex
				r := newRig(t, func(_ context.Context, call invoke.Call) (*sandbox.Result, error) {
					mu.Lock()
					defer mu.Unlock()
					id := call.Queued.ID
					if begun[id].IsZero() {
						begun[id] = time.Now()
						return refuse()
					}
					if time.Since(begun[id]) < time.Minute {
						t.Errorf("%s comes after %v", id, time.Since(begun[id]))
					}
					last[time.Now()]++
					return &sandbox.Result{Status: 200}, nil
				})
				r.spare.Store(all)
				for i := range all {
					r.put(t, strconv.Itoa(i))
				}
				for i := range all {
					r.settled(t, strconv.Itoa(i))
				}
				if len(last) < all/2 {
					t.Errorf("%d calls came at %d times", all, len(last))
				}
				r.stop()
			})
		})
	}
}

func TestWhatDidNotStartUsesNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusals := 0
		r := newRig(t, func(context.Context, invoke.Call) (*sandbox.Result, error) {
			if refusals++; refusals < 10 {
				return nil, &sandbox.BusyError{Cause: sandbox.BusyQueueFull, RetryAfter: 5 * time.Second}
			}
			return &sandbox.Result{Status: 200}, nil
		})
		r.put(t, "1")
		if c := r.settled(t, "1"); c.Status != queue.Succeeded || c.Used != 1 || c.Takes != 10 {
			t.Errorf("%+v", c)
		}
		r.stop()
	})
}

func TestALongCallKeepsItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sleeping(10*time.Minute))
		r.put(t, "1")
		if c := r.settled(t, "1"); c.Status != queue.Succeeded || c.Takes != 1 {
			t.Errorf("%+v", c)
		}
		r.stop()
	})
}

func TestALostLeaseKillsTheWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ends := make(chan error, 10)
		r := newRig(t, func(ctx context.Context, call invoke.Call) (*sandbox.Result, error) {
			result, err := sleeping(time.Hour)(ctx, call)
			ends <- context.Cause(ctx)
			return result, err
		})
		r.store.noRenewals.Store(true)
		r.put(t, "1")
		begun := time.Now()
		if cause := <-ends; !errors.Is(cause, errLost) {
			t.Errorf("it ended with %v", cause)
		}
		if held := time.Since(begun); held < DefaultLease || held > 2*DefaultLease {
			t.Errorf("it ended after %v", held)
		}
		r.stop()
	})
}

func TestCancellingKillsTheWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ends := make(chan error, 1)
		r := newRig(t, func(ctx context.Context, call invoke.Call) (*sandbox.Result, error) {
			result, err := sleeping(time.Hour)(ctx, call)
			ends <- context.Cause(ctx)
			return result, err
		})
		r.put(t, "1")
		synctest.Wait() // it runs
		if err := r.Cancel(t.Context(), ref, "1"); err != nil {
			t.Fatal(err)
		}
		if cause := <-ends; !errors.Is(cause, errCancelled) {
			t.Errorf("it ended with %v", cause)
		}
		if c := r.settled(t, "1"); c.Status != queue.Cancelled {
			t.Errorf("%+v", c)
		}
		r.stop()
	})
}

func TestAStoppingServerGivesItsCallsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sleeping(time.Hour))
		r.put(t, "1")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r.Close(ctx)
		c, err := r.Get(t.Context(), ref, "1")
		if err != nil || c.Status != queue.Queued || c.Used != 0 || c.Takes != 1 {
			t.Errorf("%+v, %v", c, err)
		}
		r.stop()
	})
}

func TestNothingIsTakenWithoutASpareWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sleeping(time.Minute))
		r.spare.Store(0)
		r.put(t, "1")
		time.Sleep(time.Hour / 2)
		if c, err := r.Get(t.Context(), ref, "1"); err != nil || c.Status != queue.Queued || c.Takes != 0 {
			t.Errorf("%+v, %v", c, err)
		}
		r.spare.Store(2)
		for _, id := range []string{"2", "3", "4"} {
			r.put(t, id)
		}
		time.Sleep(10 * time.Second)
		if n := r.runs.runs.Load(); n != 2 {
			t.Errorf("%d calls run, 2 workers were spare", n)
		}
		r.settled(t, "4")
		r.stop()
	})
}

func TestASettlementWaitsForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.store.away.Store(true)
		r.put(t, "1")
		time.Sleep(20 * time.Second)
		r.store.away.Store(false)
		if c := r.settled(t, "1"); c.Status != queue.Succeeded || r.runs.runs.Load() != 1 {
			t.Errorf("%+v after %d runs", c, r.runs.runs.Load())
		}
		r.stop()
	})
}

func TestARecordIsWatchedToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sleeping(time.Minute))
		r.spare.Store(0)
		r.put(t, "1")
		time.AfterFunc(10*time.Second, func() { r.spare.Store(1) })
		var seen []queue.Status
		idle := 0
		err := r.Watch(t.Context(), ref, "1", func(c *queue.Call) error {
			seen = append(seen, c.Status)
			return nil
		}, func() error { idle++; return nil }, 15*time.Second)
		if err != nil || len(seen) != 3 || seen[0] != queue.Queued || seen[1] != queue.Running || seen[2] != queue.Succeeded {
			t.Errorf("saw %v, %v", seen, err)
		}
		if idle < 3 {
			t.Errorf("%d signs of life in a minute", idle)
		}
		r.stop()
	})
}

func TestTheLastThingThatACallTellsIsInItsRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(ctx context.Context, call invoke.Call) (*sandbox.Result, error) {
			call.OnProgress(sandbox.Progress{Part: 0.5})
			result, err := sleeping(progressInterval+time.Millisecond)(ctx, call)
			call.OnProgress(sandbox.Progress{Part: 1, Text: "all"})
			return result, err
		})
		r.put(t, "1")
		c := r.settled(t, "1")
		if want := `{"part":1,"text":"all"}`; string(c.Progress) != want {
			t.Errorf("the record has %s; want %s", c.Progress, want)
		}
		r.stop()
	})
}

func TestWhatACallTellsOfItselfIsInItsRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(ctx context.Context, call invoke.Call) (*sandbox.Result, error) {
			if call.Queued == nil || call.Queued.ID != "1" || call.Queued.Attempt != 1 {
				t.Errorf("the call is %+v", call.Queued)
			}
			call.OnProgress(sandbox.Progress{Part: 0.25})
			call.OnProgress(sandbox.Progress{Part: 0.5, Text: "half of \"é"})
			return sleeping(time.Minute)(ctx, call)
		})
		r.put(t, "1")
		time.Sleep(2 * time.Second)
		c, err := r.Get(t.Context(), ref, "1")
		if want := `{"part":0.5,"text":"half of \"é"}`; err != nil || string(c.Progress) != want {
			t.Errorf("the record has %s, %v; want %s", c.Progress, err, want)
		}
		r.settled(t, "1")
		r.stop()
	})
}
