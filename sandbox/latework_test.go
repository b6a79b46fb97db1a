package sandbox

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// fakeWork is work after an answer that takes a while.
type fakeWork struct {
	child *fakeChild
	takes time.Duration
}

func (f fakeWork) wait() bool {
	select {
	case <-time.After(f.takes):
		return true
	case <-f.child.killed:
		<-f.child.reaped
		return false
	}
}

// lateStarter makes children whose calls leave work that takes so long, if they are of group "late".
func lateStarter(takes time.Duration) *fakeStarter {
	s := &fakeStarter{}
	s.after = func(c *fakeChild, inv *Invocation) lateWork {
		if inv.Group != "late" {
			return nil
		}
		return fakeWork{c, takes}
	}
	return s
}

func TestWorkAfterTheAnswerKeepsItsWorkerToItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := fakePool(t, fakeConfig(4, 0), lateStarter(time.Second))
		answered(t, pool, invocation("late/f", "1ms"))
		if s := pool.Snapshot().Pool; s.Late != 1 || s.Busy != 0 || s.Idle != 0 {
			t.Errorf("after the answer: %+v", s)
		}
		if start := answered(t, pool, invocation("late/f", "1ms")); start == StartWarm {
			t.Error("the worker served another call")
		}
		time.Sleep(2 * time.Second)
		if s := pool.Snapshot().Pool; s.Late != 0 || s.Idle != 2 {
			t.Errorf("when the work is over: %+v", s)
		}
		if start := answered(t, pool, invocation("late/f", "1ms")); start != StartWarm {
			t.Errorf("the next call got a worker that is %s", start)
		}
		time.Sleep(2 * time.Second)
	})
}

func TestWorkAfterTheAnswerGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := lateStarter(time.Hour)
		pool := fakePool(t, fakeConfig(2, 0), starter)
		for range 2 {
			answered(t, pool, invocation("late/f", "1ms"))
		}
		began := time.Now()
		answered(t, pool, invocation("other/f", "1ms"))
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("a call waited for %v", took)
		}
		if reasons := starter.reasons(); !slices.Equal(reasons, []Reason{ReasonEvicted}) {
			t.Errorf("workers ended because of %v", reasons)
		}
		answered(t, pool, invocation("late/f", "1ms")) // of the same function, too: an idle one of the others goes last
		synctest.Wait()
		if s := pool.Snapshot().Pool; s.Late+s.Idle != 2 {
			t.Errorf("%+v", s)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = pool.Shutdown(ctx)
	})
}

func TestIdleWorkersOfAPoorerGroupStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := lateStarter(time.Hour)
		pool := fakePool(t, fakeConfig(3, 0), starter)
		answered(t, pool, invocation("poor/f", "1ms"))
		for range 2 {
			answered(t, pool, invocation("late/f", "1ms"))
		}
		answered(t, pool, invocation("other/f", "1ms"))
		if start := answered(t, pool, invocation("poor/f", "1ms")); start != StartWarm {
			t.Errorf("the worker of a group with one made room, the call got one that is %s", start)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = pool.Shutdown(ctx)
	})
}

func TestCloseWaitsForWorkAfterAnswers(t *testing.T) {
	for _, hurried := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			starter := lateStarter(time.Minute)
			pool := fakePool(t, fakeConfig(2, 0), starter)
			answered(t, pool, invocation("late/f", "1ms"))
			began, ctx := time.Now(), t.Context()
			want := time.Minute
			if hurried {
				want = time.Second
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, want)
				defer cancel()
			}
			if err := pool.Shutdown(ctx); err != nil || time.Since(began) != want {
				t.Errorf("closed after %v, want %v: %v", time.Since(began), want, err)
			}
		})
	}
}

// leaveWork has calls of the group "late" leave work that takes until the test is over.
func (s pausingStarter) leaveWork(t *testing.T, pool *runtimePool) {
	s.after = lateStarter(time.Hour).after
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = pool.Shutdown(ctx)
	})
}

func TestWorkAfterAnswersThatComputesCountsAsActive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const active = 3
		pool, starter := growingPool(t, 64, active, 1)
		starter.leaveWork(t, pool)
		for range 12 { // all are served
			answered(t, pool, invocation("late/spin", "1ms"))
			time.Sleep(time.Second)
		}
		if s := pool.Snapshot().Pool; s.Late > active {
			t.Errorf("%d may compute: %+v", active, s)
		}
		for i := range 3 {
			began := time.Now()
			answered(t, pool, invocation(fmt.Sprintf("b%d/f", i), "1ms"))
			if took := time.Since(began); took > 100*time.Millisecond {
				t.Errorf("a call of another namespace took %v", took)
			}
		}
	})
}

func TestWorkAfterAnswersThatWaitsDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 64, 3, 1)
		starter.leaveWork(t, pool)
		for range 12 {
			answered(t, pool, invocation("late/f", "1ms"))
			time.Sleep(time.Second)
		}
		pool.scheduler.mu.Lock()
		defer pool.scheduler.mu.Unlock()
		if pool.scheduler.late != 12 || pool.scheduler.budget.shares.active.total != 0 {
			t.Errorf("%d go on, %d count", pool.scheduler.late, pool.scheduler.budget.shares.active.total)
		}
	})
}

func TestWorkAfterAnswersOfAPoorerGroupGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := growingPool(t, 64, 4, 1)
		starter.leaveWork(t, pool)
		answered(t, pool, invocation("late/spin", "1ms"))
		for i := range 20 {
			go func() {
				_, _ = pool.Invoke(context.WithoutCancel(t.Context()), invocation(fmt.Sprint("rich/spin", i), "1s"))
			}()
		}
		time.Sleep(5 * time.Second)
		if s := pool.Snapshot().Pool; s.Late != 1 || s.Busy == 0 {
			t.Errorf("beside a namespace with many calls: %+v", s)
		}
		time.Sleep(time.Minute)
	})
}
