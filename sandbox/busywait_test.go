package sandbox

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// soonOf makes a call and says whether its answer was worth a busy wait.
func soonOf(t *testing.T, pool *runtimePool, starter *fakeStarter, inv *Invocation) (soon bool) {
	t.Helper()
	starter.calls = func(c *call) { soon = c.busyWait }
	defer func() { starter.calls = nil }()
	answered(t, pool, inv)
	return soon
}

func TestAnswersThatComeSoonAreAwaitedAwake(t *testing.T) {
	for name, row := range map[string]struct {
		cpu   time.Duration
		calls int // before the one that is looked at
		soon  bool
	}{
		"short":            {busyWaitCPU - 1, serviceCalls, true},
		"not short enough": {busyWaitCPU, serviceCalls, false},
		"unknown":          {busyWaitCPU - 1, serviceCalls - 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				starter := &fakeStarter{serve: computing(row.cpu)}
				pool := fakePool(t, fakeConfig(4, 1), starter)
				pool.scheduler.processors = 4
				for range row.calls {
					answered(t, pool, invocation("a/1", "1ms"))
				}
				if soon := soonOf(t, pool, starter, invocation("a/1", "1ms")); soon != row.soon {
					t.Errorf("a busy wait is worth it: %v", soon)
				}
			})
		})
	}
}

func TestNobodyWaitsAwakeForAFunctionThatWaitsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := shortly(t, fakeConfig(4, 1), computing(time.Microsecond))
		pool.scheduler.processors = 4
		starter.serve = func(*fakeChild, *Invocation) (*Result, bool, error) {
			return &Result{Status: 200, Stats: Stats{CPU: time.Microsecond, waited: true}}, true, nil
		}
		answered(t, pool, invocation("a/1", "1ms"))
		if soonOf(t, pool, starter, invocation("a/1", "1ms")) {
			t.Error("a function that has waited was waited for awake")
		}
	})
}

func TestNobodyWaitsAwakeWhereProcessorsAreWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const processors = 4
		pool, starter := shortly(t, fakeConfig(2*processors, 1), computing(time.Microsecond))
		pool.scheduler.processors, pool.scheduler.saturation = processors, processors
		end := make(chan struct{})
		starter.serve = func(_ *fakeChild, inv *Invocation) (*Result, bool, error) {
			if inv.Key != "a/1" {
				<-end
			}
			return &Result{Status: 200, Stats: Stats{CPU: time.Microsecond}}, true, nil
		}
		var others sync.WaitGroup
		for range processors {
			if !soonOf(t, pool, starter, invocation("a/1", "1ms")) {
				t.Error("there is a processor for each call")
			}
			others.Go(func() { answered(t, pool, invocation("a/other", "1ms")) })
			synctest.Wait()
		}
		if soonOf(t, pool, starter, invocation("a/1", "1ms")) {
			t.Errorf("%d processors, and %d other calls in progress", processors, processors)
		}
		close(end)
		others.Wait()
	})
}

func TestNobodyWaitsAwakeForAFunctionWhoseAnswerDidNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := shortly(t, fakeConfig(4, 1), computing(time.Microsecond))
		pool.scheduler.processors = 4
		starter.calls = func(c *call) { c.missed = c.busyWait }
		answered(t, pool, invocation("a/1", "1ms"))
		for i := range serviceWeight {
			if soonOf(t, pool, starter, invocation("a/1", "1ms")) {
				t.Fatalf("call %d after it was waited for awake", i)
			}
		}
		if !soonOf(t, pool, starter, invocation("a/1", "1ms")) {
			t.Errorf("%d calls later it is not forgotten", serviceWeight)
		}
	})
}

func TestTheOnlyProcessorIsTheWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := shortly(t, fakeConfig(4, 1), computing(time.Microsecond))
		pool.scheduler.processors = 1
		if soonOf(t, pool, starter, invocation("a/1", "1ms")) {
			t.Error("it was waited for awake")
		}
	})
}
