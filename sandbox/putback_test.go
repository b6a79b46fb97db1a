package sandbox

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// putBackStarter makes children that take so long to be put back after each call.
func putBackStarter(takes time.Duration) *fakeStarter {
	s := &fakeStarter{serve: computing(100 * time.Microsecond)}
	s.back = func(c *fakeChild, _ *Invocation) lateWork { return fakeWork{c, takes} }
	return s
}

// putBackTogether makes n calls of a/1 at once and returns when all have been answered.
func putBackTogether(t *testing.T, pool *runtimePool, n int) {
	t.Helper()
	var all sync.WaitGroup
	for range n {
		all.Go(func() { answered(t, pool, putBackCall("a/1")) })
	}
	all.Wait()
}

func putBackCall(key string) *Invocation {
	inv := invocation(key, "1ms")
	inv.Rollback = true
	return inv
}

// Calls that wait while workers are put back have those, not others that would have to start, once there are as many as
// keep the processors busy.
func TestAWorkerThatIsPutBackCountsAsServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(32, 2)
		cfg.rollback = true
		starter := putBackStarter(putBackPatience / 2)
		pool := fakePool(t, cfg, starter)
		for range serviceCalls {
			answered(t, pool, putBackCall("a/1"))
			if s := pool.Snapshot().Pool; s.Late != 0 || s.Busy != 1 {
				t.Errorf("after the answer: %+v", s)
			}
			time.Sleep(putBackPatience)
			synctest.Wait()
		}
		putBackTogether(t, pool, 24)
		time.Sleep(putBackPatience)
		synctest.Wait()
		want := min(24, putBackAtOnce*runtime.GOMAXPROCS(0))
		if workers := pool.Snapshot().Pool.Idle; workers != want {
			t.Errorf("%d workers for 24 calls at once, not %d", workers, want)
		}
		if reasons := starter.reasons(); len(reasons) > 0 {
			t.Errorf("workers ended because of %v", reasons)
		}
	})
}

// A worker that takes long to be put back has its room for others.
func TestAWorkerThatIsLateToBePutBackGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := putBackStarter(time.Hour)
		pool := fakePool(t, fakeConfig(1, 0), starter)
		answered(t, pool, putBackCall("a/1"))
		began := time.Now()
		answered(t, pool, putBackCall("b/1"))
		if took := time.Since(began); took < putBackPatience || took > 2*putBackPatience {
			t.Errorf("the call waited for %v", took)
		}
		if reasons := starter.reasons(); !slices.Equal(reasons, []Reason{ReasonEvicted}) {
			t.Errorf("workers ended because of %v", reasons)
		}
		time.Sleep(putBackPatience)
		synctest.Wait()
		if s := pool.Snapshot().Pool; s.Late != 1 || s.Busy != 0 {
			t.Errorf("%+v", s)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = pool.Shutdown(ctx)
	})
}

// One that counts as late and is put back then serves the next call as any other.
func TestAWorkerThatWasLateServesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := fakePool(t, fakeConfig(2, 0), putBackStarter(2*putBackPatience))
		for range 3 {
			answered(t, pool, putBackCall("a/1"))
			time.Sleep(3 * putBackPatience)
			synctest.Wait()
			if s := pool.Snapshot().Pool; s.Late != 0 || s.Busy != 0 || s.Idle != 1 {
				t.Errorf("%+v", s)
			}
		}
		if busy := len(pool.scheduler.busy); busy != 0 {
			t.Errorf("%d functions count as busy", busy)
		}
	})
}

// A worker that was put back is told when no call waits for it: it prepares for the next one then.
func TestAWorkerIsResumedWhereNoCallWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(1, 0)
		starter := putBackStarter(time.Microsecond)
		pool := fakePool(t, cfg, starter)
		putBackTogether(t, pool, 8)
		time.Sleep(putBackPatience)
		synctest.Wait()
		if starter.resumed != 1 {
			t.Errorf("resumed %d times in 8 calls that waited for each other", starter.resumed)
		}
	})
}

// promptWork is over in a moment, or says that it is not.
type promptWork struct {
	fakeWork
	tried *int
	over  bool
}

func (p promptWork) try() (reusable, over bool) {
	*p.tried++
	return true, p.over
}

// A worker is put back before its caller goes on where other calls wait for it, unless that takes longer.
func TestAWorkerIsPutBackAtOnceWhereCallsWait(t *testing.T) {
	for _, over := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			tried, waited := 0, 0
			starter := putBackStarter(0)
			starter.back = func(c *fakeChild, _ *Invocation) lateWork {
				return countedWork{promptWork{fakeWork{c, time.Millisecond}, &tried, over}, &waited}
			}
			pool := fakePool(t, fakeConfig(1, 0), starter)
			answered(t, pool, putBackCall("a/1"))
			synctest.Wait()
			if tried != 0 {
				t.Errorf("it was tried %d times though no call waited", tried)
			}
			time.Sleep(putBackPatience)
			synctest.Wait()
			putBackTogether(t, pool, 8)
			time.Sleep(putBackPatience)
			synctest.Wait()
			want := 9 // all, or the last ones, which no call waits for
			if over {
				want = 2
			}
			if tried != 7 || waited != want {
				t.Errorf("over %v: it was tried %d times and waited for %d times, want 7 and %d", over, tried, waited, want)
			}
			if s := pool.Snapshot().Pool; s.Idle != 1 || s.Late != 0 || s.Busy != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// countedWork counts how often it is waited for.
type countedWork struct {
	promptWork
	waited *int
}

func (c countedWork) wait() bool {
	*c.waited++
	return c.promptWork.wait()
}
