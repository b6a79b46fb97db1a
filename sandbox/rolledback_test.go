package sandbox

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// rollbackStarter is a starter of children that can be put back, or not.
type rollbackStarter struct {
	*fakeStarter

	support RollbackSupport
}

func (s rollbackStarter) rollback() RollbackSupport { return s.support }

// rollbackRig is a pool of fakes that counts the calls of both parts of its runtime.
type rollbackRig struct {
	*Pool

	usual, putBack int // calls
	fresh          int // of the former, those that get a worker of their own
	fail           error
	memory         int64        // of calls, in MiB
	open           error        // of workers that are put back
	unstarted      error        // the same, of their first one
	starter        *fakeStarter // of these
}

func newRollbackRig(t *testing.T, support RollbackSupport) *rollbackRig {
	t.Helper()
	r := &rollbackRig{}
	cfg := fakeConfig(4, 1)
	cfg.LargestMemory, cfg.Runtimes = 256<<20, []Runtime{{Name: "node", Node: "node"}}
	r.Pool = emptyPool(cfg, func(c *Config) (starter, error) {
		putsBack := c.rollback
		if putsBack && r.open != nil {
			return nil, r.open
		}
		serve := func(_ *fakeChild, inv *Invocation) (*Result, bool, error) {
			if putsBack {
				r.putBack++
				return &Result{}, r.fail == nil, r.fail
			}
			r.usual++
			if inv.MaxInvocations == 1 && !inv.Rollback {
				r.fresh++
			}
			return &Result{}, true, nil
		}
		start := func(int) error {
			if putsBack {
				return r.unstarted
			}
			return nil
		}
		made := &fakeStarter{serve: serve, fail: start}
		if putsBack {
			r.starter = made
		}
		return rollbackStarter{made, support}, nil
	})
	if err := r.start(t.Context(), cfg.Runtimes[0]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// begin waits until there are workers that are put back, or there cannot be: calls get others until then.
func (r *rollbackRig) begin(t *testing.T) {
	t.Helper()
	if err := r.BeginRollback(t.Context(), "", false); !errors.Is(err, r.open) {
		t.Fatal(err)
	}
}

// call makes a call and expects so many calls of each part since the start.
func (r *rollbackRig) call(t *testing.T, putBack, fresh int) {
	t.Helper()
	r.callOf(t, "a", putBack, fresh)
}

// callOf is call for another function than "a".
func (r *rollbackRig) callOf(t *testing.T, key string, putBack, fresh int) {
	t.Helper()
	inv := invocation(key, "1ms")
	inv.Rollback, inv.Memory = true, r.memory<<20
	if _, err := r.Invoke(t.Context(), inv); err != nil {
		t.Fatal(err)
	}
	if r.putBack != putBack || r.fresh != fresh || r.usual != fresh {
		t.Errorf("%d calls in workers that are put back, %d in others, %d of these in their own; want %d, %d",
			r.putBack, r.usual, r.fresh, putBack, fresh)
	}
}

func TestWorkersThatArePutBackAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRollbackRig(t, RollbackSupport{Available: true})
		r.call(t, 0, 1)
		r.begin(t)
		r.call(t, 1, 1)
		r.call(t, 2, 1)
		plain := invocation("a", "1ms")
		if _, err := r.Invoke(t.Context(), plain); err != nil || r.usual != 2 {
			t.Errorf("%d calls in other workers, %v", r.usual, err)
		}
	})
}

func TestWhereWorkersCannotBePutBackEachCallGetsItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRollbackRig(t, RollbackSupport{Reason: "an old kernel"})
		r.call(t, 0, 1)
		r.call(t, 0, 2)
	})
}

// A snapshot that cannot be taken fails no call, is not tried again with each, and is no matter to other functions.
func TestWithoutASnapshotEachCallGetsItsOwnForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRollbackRig(t, RollbackSupport{Available: true})
		r.begin(t)
		r.fail = &DeathError{Reason: ReasonRetired, Detail: "userfaultfd: cannot allocate memory", noSnapshot: true}
		r.call(t, 1, 1)
		r.fail = nil
		r.call(t, 1, 2)
		if got := r.current.Load().parts["node"].Snapshot().Rollback; !got.Available {
			t.Errorf("it says %+v", got)
		}
		got := r.cfg.fallbacks.list("node", true)
		if len(got) != 1 || got[0].Reason != "userfaultfd: cannot allocate memory" {
			t.Errorf("told of %+v", got)
		}
		r.callOf(t, "b", 2, 2)
		time.Sleep(firstFallback)
		r.call(t, 3, 2)
		r.call(t, 4, 2)
		if got := r.cfg.fallbacks.list("node", true); len(got) != 0 {
			t.Errorf("told of %+v", got)
		}
	})
}

// Where the fork server of workers that are put back does not start, calls are served otherwise until it does, and the
// report says why.
func TestWhileNoWorkerCanBePutBackEachCallGetsItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRollbackRig(t, RollbackSupport{Available: true})
		r.open = errors.New("no room for a fork server")
		r.begin(t)
		for i := range 3 {
			r.call(t, 0, i+1)
			got := r.Snapshot().Runtimes["node"].Rollback
			if got.Available || got.Mechanism != MechanismFork || got.Reason != "no room for a fork server" {
				t.Errorf("it says %+v", got)
			}
		}
		r.open = nil
		time.Sleep(lastRetry)
		synctest.Wait() // for what ends at the same moment
		r.begin(t)
		r.call(t, 1, 3)
		if got := r.Snapshot().Runtimes["node"].Rollback; !got.Available || got.Mechanism != MechanismRollback {
			t.Errorf("then it says %+v", got)
		}
	})
}

// So it is with more memory than usual.
func TestWithMoreMemoryEachCallGetsItsOwnMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRollbackRig(t, RollbackSupport{Available: true})
		r.memory, r.unstarted = 200, errors.New("the fork server has ended")
		for i := range 3 {
			r.call(t, 0, i+1)
			synctest.Wait()
		}
		r.unstarted = nil
		time.Sleep(lastRetry)
		synctest.Wait() // for what ends at the same moment
		r.call(t, 0, 4)
		synctest.Wait()
		r.call(t, 1, 4)
		r.memory = 0 // which is another part
		r.call(t, 1, 5)
	})
}

// Calls of workers that are put back are not sent together: the first would have to be over before the next begins.
func TestWorkersThatArePutBackGetOneCallAtATime(t *testing.T) {
	inv := invocation("a", "1ms")
	if !mayBatch(inv) {
		t.Fatal("a call cannot be sent with others")
	}
	inv.Rollback = true
	if mayBatch(inv) {
		t.Error("a call to a worker that is put back may be sent with others")
	}
}

// While their fork server starts again, calls have workers of their own, those that wait already, too.
func TestCallsAreServedWhileAForkServerStartsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRollbackRig(t, RollbackSupport{Available: true})
		r.begin(t)
		r.starter.startTime, r.starter.again = 10*time.Second, true
		if _, err := r.Invoke(t.Context(), putBackCall("a/first")); err != nil { // it has the one that is ready
			t.Fatal(err)
		}
		before := r.putBack
		for i, wait := range []time.Duration{slowStart, 0} {
			began := time.Now()
			if _, err := r.Invoke(t.Context(), putBackCall("a/new")); err != nil || time.Since(began) > wait+time.Millisecond {
				t.Errorf("call %d: %v after %v", i, err, time.Since(began))
			}
		}
		if r.fresh < 2 || r.putBack != before {
			t.Errorf("%d calls had workers of their own, %d one that is put back", r.fresh, r.putBack-before)
		}
		time.Sleep(11 * time.Second)
		if _, err := r.Invoke(t.Context(), putBackCall("a/new")); err != nil || r.putBack != before+1 {
			t.Errorf("%v, and %d calls had a worker that is put back", err, r.putBack-before)
		}
	})
}
