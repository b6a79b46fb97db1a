package calls

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox"
)

// Step does what the function of a call does, and answers 200 with its number unless that says otherwise.
func (r *running) Step(ctx context.Context, c invoke.StepCall) (invoke.Stepped, error) {
	r.runs.Add(1)
	r.mu.Lock()
	r.steps = append(r.steps, fmt.Sprintf("%d %s %s %d %s", c.Number, c.Request.Body, c.Type, c.Status, c.Queued.ID))
	r.mu.Unlock()
	call := c.Call
	call.Ref = c.Steps[c.Number-1]
	result := &sandbox.Result{Status: 200, Body: fmt.Appendf(nil, `"of %d"`, c.Number)}
	if r.do != nil {
		own, err := r.do(ctx, call)
		if err != nil {
			return invoke.Stepped{}, err
		}
		if own != nil {
			result = own
		}
	}
	did := invoke.Stepped{Result: result, Ended: result.Status != 200 || c.Number == len(c.Steps), Request: c.Request}
	did.Request.Body, did.Type, did.Status = result.Body, "text/x", result.Status
	return did, nil
}

// putSteps queues a pipeline of the functions a/1, b/2, c/3 … of which each may be tried so often.
func (r *rig) putSteps(t *testing.T, id string, attempts ...int) function.Ref {
	t.Helper()
	payload, err := EncodeRequest(&sandbox.Request{
		Method: "PUT", Header: []byte("{}"), Query: []byte("{}"), Body: []byte("0"),
	})
	if err != nil {
		t.Fatal(err)
	}
	spec := &queue.Spec{
		ID: id, Payload: payload, Attempts: attempts[0], Backoff: time.Second, MaxAge: time.Hour, Keep: time.Hour,
		KeepDead: time.Hour,
	}
	for i, n := range attempts {
		of := function.Ref{Namespace: string(rune('a' + i)), ID: fmt.Sprint(i + 1)}
		spec.Steps = append(spec.Steps, queue.Step{Ref: of, Attempts: n, Backoff: time.Second, MaxAge: time.Hour})
	}
	spec.Ref = spec.Steps[0].Ref
	if _, err := r.Put(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	return spec.Ref
}

// ended waits until a pipeline is settled.
func (r *rig) ended(t *testing.T, ref function.Ref, id string) *queue.Call {
	t.Helper()
	c, err := r.Await(t.Context(), ref, id, 2*time.Hour)
	if err != nil || !c.Status.Settled() {
		t.Fatalf("call %s: %+v, %v", id, c, err)
	}
	return c
}

func TestAPipelineRunsStepByStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		begun := time.Now()
		c := r.ended(t, r.putSteps(t, "1", 1, 1, 1), "1")
		a, err := r.Result(t.Context(), c.Ref, "1")
		if c.Status != queue.Succeeded || err != nil || string(a.Body) != `"of 3"` || len(c.History) != 3 {
			t.Errorf("%+v, answer %+v, %v", c, a, err)
		}
		want := `1 0  0 1.1, 2 "of 1" text/x 200 1.2, 3 "of 2" text/x 200 1.3`
		if got := strings.Join(r.runs.steps, ", "); got != want {
			t.Errorf("ran %s, want %s", got, want)
		}
		if detail := string(c.History[1].Detail); !strings.HasPrefix(detail, `{"step":2,"status":200,`) ||
			!strings.Contains(detail, `"bytes":6`) {
			t.Errorf("the second step is %s", detail)
		}
		if waited := time.Since(begun); waited > 0 { // nobody has polled
			t.Errorf("it took %v", waited)
		}
		r.stop()
	})
}

func TestAFailedStepIsTriedAgainAloneAndRedriven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := true
		r := newRig(t, func(_ context.Context, call invoke.Call) (*sandbox.Result, error) {
			if broken && call.Ref.ID == "2" {
				return nil, &invoke.StepError{Ref: call.Ref, Err: &sandbox.FunctionError{Message: "no"}}
			}
			return nil, nil //nolint:nilnil // the default
		})
		first := r.putSteps(t, "1", 5, 2, 5)
		c := r.ended(t, first, "1")
		if c.Status != queue.Dead || c.Step != 1 || c.Used != 2 || c.Reason != "thrown" || r.runs.runs.Load() != 3 {
			t.Errorf("%+v after %d runs", c, r.runs.runs.Load())
		}
		if a, err := r.Result(t.Context(), first, "1"); err != nil || string(a.Body) != `{"error":"no"}` {
			t.Errorf("answer %+v, %v", a, err)
		}
		broken = false
		if err := r.Redrive(t.Context(), first, "1"); err != nil {
			t.Fatal(err)
		}
		if c := r.ended(t, first, "1"); c.Status != queue.Succeeded || r.runs.runs.Load() != 5 {
			t.Errorf("%+v after %d runs", c, r.runs.runs.Load())
		}
		if got := strings.Join(r.runs.steps[3:], ", "); got != `2 "of 1" text/x 200 1.2, 3 "of 2" text/x 200 1.3` {
			t.Errorf("the redrive ran %s", got)
		}
		r.stop()
	})
}

func TestAStepMayEndItsPipeline(t *testing.T) {
	for name, row := range map[string]struct {
		result *sandbox.Result
		err    error
		status queue.Status
		runs   int64
		reason string
	}{
		"answered 404":     {&sandbox.Result{Status: 404, Body: []byte(`{}`)}, nil, queue.Succeeded, 2, ""},
		"answered 503":     {&sandbox.Result{Status: 503}, nil, queue.Dead, 4, "status_503"},
		"missing function": {nil, &function.NotFoundError{Ref: ref}, queue.Dead, 2, "not_found"},
		"refused bytes":    {nil, &invoke.StepError{Err: invoke.ErrBytes}, queue.Dead, 2, "bytes_refused"},
		"too much": {
			&sandbox.Result{Status: 200, Body: make([]byte, DefaultResultLimit+1)}, nil, queue.Dead, 2, "too_large",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(_ context.Context, call invoke.Call) (*sandbox.Result, error) {
					if call.Ref.ID == "2" {
						return row.result, row.err
					}
					return nil, nil //nolint:nilnil // the default
				})
				c := r.ended(t, r.putSteps(t, "1", 3, 3, 3), "1")
				if c.Status != row.status || c.Reason != row.reason || r.runs.runs.Load() != row.runs || c.Step != 1 {
					t.Errorf("%+v after %d runs", c, r.runs.runs.Load())
				}
				if c.Status == queue.Dead && !strings.Contains(string(c.History[1].Detail), `"reason":"`+row.reason+`"`) {
					t.Errorf("the attempt is %s", c.History[1].Detail)
				}
				r.stop()
			})
		})
	}
}

func TestAPipelineWhoseServerWasLostGoesOnWithItsStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := make(chan struct{}, 1)
		hangs <- struct{}{}
		r := newRig(t, func(ctx context.Context, call invoke.Call) (*sandbox.Result, error) {
			select {
			case <-hangs:
			default:
				return nil, nil //nolint:nilnil // the default
			}
			if call.Ref.ID == "1" {
				hangs <- struct{}{}
				return nil, nil //nolint:nilnil // the default
			}
			return sleeping(time.Hour)(ctx, call)
		})
		r.store.noRenewals.Store(true)
		c := r.ended(t, r.putSteps(t, "1", 2, 2, 2), "1")
		if c.Status != queue.Succeeded || r.runs.runs.Load() != 4 || len(c.History) != 4 {
			t.Errorf("%+v after %d runs", c, r.runs.runs.Load())
		}
		if got := string(c.History[1].Detail); got != `{"step":2,"reason":"lease_lost"}` {
			t.Errorf("the lost attempt is %s", got)
		}
		r.stop()
	})
}

// A step in a namespace that is disabled meanwhile waits, and uses no attempt.
func TestAStepWaitsWhileItsNamespaceIsDisabled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusals := 0
		r := newRig(t, func(_ context.Context, call invoke.Call) (*sandbox.Result, error) {
			if call.Ref.Namespace == "b" && refusals < 5 {
				refusals++
				return nil, &invoke.StepError{Ref: call.Ref, Err: &limits.DisabledError{Namespace: "b"}}
			}
			return nil, nil //nolint:nilnil // the default
		})
		c := r.ended(t, r.putSteps(t, "1", 1, 1, 1), "1")
		if c.Status != queue.Succeeded || len(c.History) != 3 || c.Takes != 8 || r.runs.runs.Load() != 8 {
			t.Errorf("%+v after %d runs", c, r.runs.runs.Load())
		}
		r.stop()
	})
}

func TestCancellingAPipelineEndsItsStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ends := make(chan error, 1)
		r := newRig(t, func(ctx context.Context, call invoke.Call) (*sandbox.Result, error) {
			if call.Ref.ID == "1" {
				return nil, nil //nolint:nilnil // the default
			}
			result, err := sleeping(time.Hour)(ctx, call)
			ends <- context.Cause(ctx)
			return result, err
		})
		first := r.putSteps(t, "1", 3, 3, 3)
		synctest.Wait() // the second step runs
		if err := r.Cancel(t.Context(), first, "1"); err != nil {
			t.Fatal(err)
		}
		if cause := <-ends; !errors.Is(cause, errCancelled) {
			t.Errorf("it ended with %v", cause)
		}
		if c := r.ended(t, first, "1"); c.Status != queue.Cancelled || c.Step != 1 || r.runs.runs.Load() != 2 {
			t.Errorf("%+v after %d runs", c, r.runs.runs.Load())
		}
		r.stop()
	})
}

func TestAStepOfAPipelineWaitsForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.store.away.Store(true)
		first := r.putSteps(t, "1", 1, 1)
		time.Sleep(20 * time.Second)
		r.store.away.Store(false)
		if c := r.ended(t, first, "1"); c.Status != queue.Succeeded || r.runs.runs.Load() != 2 {
			t.Errorf("%+v after %d runs", c, r.runs.runs.Load())
		}
		r.stop()
	})
}

// pipelines notes which ended, and how long they ran.
type pipelines struct {
	unobserved
	mu  sync.Mutex // guards all
	all []string
}

func (p *pipelines) PipelineRun(status int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, fmt.Sprint(status, " ", took.Round(time.Second)))
}

// TestAQueuedPipelineIsCountedOnce has steps of two seconds: one pipeline succeeds, one whose last step fails twice is
// dead, and a call of one function is no pipeline.
func TestAQueuedPipelineIsCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(_ context.Context, call invoke.Call) (*sandbox.Result, error) {
			time.Sleep(2 * time.Second)
			if call.Ref.ID == "3" {
				return nil, &invoke.StepError{Ref: call.Ref, Err: &sandbox.FunctionError{Message: "no"}}
			}
			return &sandbox.Result{Status: 200, Body: []byte("1")}, nil
		})
		seen := &pipelines{}
		r.Observer = seen
		r.ended(t, r.putSteps(t, "1", 1, 1), "1")
		r.ended(t, r.putSteps(t, "2", 1, 1, 2), "2")
		r.put(t, "3")
		r.settled(t, "3")
		r.stop()
		if got := strings.Join(seen.all, ", "); got != "200 4s, 500 8s" {
			t.Errorf("counted are %s", got)
		}
	})
}
