package sandbox

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestIdleWorkerThatUsesAProcessorIsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{}
		pool := fakePool(t, fakeConfig(3, 0), starter)
		for _, key := range []string{"quiet", "little", "busy"} {
			answered(t, pool, invocation(key, "1ms"))
		}
		for i, used := range []time.Duration{0, idleAllowance, idleAllowance + 1} {
			starter.child(i).stir(used)
		}
		time.Sleep(2 * idleCheck)
		synctest.Wait()
		for i, want := range []Reason{"", "", ReasonIdleActivity} {
			if got := starter.child(i).killedFor(); got != want {
				t.Errorf("child %d was killed for %q, want %q", i, got, want)
			}
		}
		answered(t, pool, invocation("busy", "1ms")) // on a new one
	})
}

func TestBusyWorkerMayUseAProcessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{}
		pool := fakePool(t, fakeConfig(1, 0), starter)
		answered(t, pool, invocation("a", "1ms"))
		starter.child(0).stir(time.Hour)
		answered(t, pool, invocation("a", "5s"))
		if got := starter.child(0).killedFor(); got != "" {
			t.Errorf("killed for %s in the middle of a call", got)
		}
	})
}
