package sandbox

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"
)

// changes collects what an observer is told of functions that are served otherwise.
type changes struct {
	NopObserver

	all      []RollbackFallback
	replaced []Replaced
}

func (c *changes) RollbackChanged(now RollbackFallback) { c.all = append(c.all, now) }
func (c *changes) RollbackReplaced(why Replaced)        { c.replaced = append(c.replaced, why) }

// fallbackRig has the workers of one function end, or be put back.
type fallbackRig struct {
	*fallbacks

	observer *changes
	inv      *Invocation
}

func newFallbackRig() *fallbackRig {
	observer := &changes{}
	inv := invocation("a/b", "")
	inv.Filename, inv.Rollback, inv.Warmup = "a/b.js", true, &Warmup{times: 1}
	return &fallbackRig{newFallbacks(observer), observer, inv}
}

func (r *fallbackRig) ends(n int) {
	for range n {
		r.teller(r.inv)(RollbackOutcome{Cause: "thread", Detail: "5 threads, not 1"})
	}
}

func (r *fallbackRig) isPutBack() { r.teller(r.inv)(RollbackOutcome{}) }

// own says whether the next call gets a worker of its own.
func (r *fallbackRig) own() bool {
	inv := r.reused(r.inv)
	return !inv.Rollback && inv.MaxInvocations == 1
}

func TestFunctionsWhoseWorkersAlwaysEndGetOneForEachCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newFallbackRig()
		r.ends(mostEnded - 1)
		r.isPutBack() // so it is not always
		r.ends(mostEnded - 1)
		if r.own() {
			t.Fatal("a function whose workers end now and then gets one for each call")
		}
		r.ends(1)
		if !r.own() {
			t.Fatal("a function whose workers always end is put back all the same")
		}
		const why = "thread: 5 threads, not 1"
		if got := r.observer.all; len(got) != 1 || got[0].Filename != "a/b.js" || got[0].Reason != why {
			t.Errorf("told of %+v", got)
		}
		if got := r.observer.replaced; len(got) != 1 || got[0] != ReplacedEnds {
			t.Errorf("counted as %v", got)
		}
		if got := r.list("", true); len(got) != 1 || !got[0].Until.Equal(time.Now().Add(firstFallback)) {
			t.Errorf("listed as %+v", got)
		}
		other := *r.inv
		other.Key = "another"
		if !r.reused(&other).Rollback {
			t.Error("another function gets a worker for each call, too")
		}
	})
}

func TestWorkersAreTriedAgainAfterLongerAndLongerPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newFallbackRig()
		r.ends(mostEnded)
		for pause := firstFallback; pause < lastFallback; pause *= 2 {
			time.Sleep(pause - 1)
			if !r.own() {
				t.Fatalf("tried again before %v", pause)
			}
			time.Sleep(time.Nanosecond)
			if r.own() {
				t.Fatalf("not tried again after %v", pause)
			}
			r.ends(1)
		}
		if time.Sleep(lastFallback); r.own() {
			t.Errorf("not tried again after %v", lastFallback)
		}
		r.isPutBack()
		if last := r.observer.all[len(r.observer.all)-1]; last.Reason != "" || last.Filename != "a/b.js" {
			t.Errorf("told of %+v at last", last)
		}
		r.ends(1)
		if r.own() || len(r.list("", true)) > 0 {
			t.Error("it is not forgotten that workers always ended")
		}
	})
}

func TestAWorkerThatWasKilledSaysNothingOfItsFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newFallbackRig()
		for range mostEnded {
			r.teller(r.inv)(RollbackOutcome{Cause: "no_park", Killed: true})
		}
		if r.own() {
			t.Error("it has the function served otherwise")
		}
	})
}

func TestAWarmupThatNoSnapshotCanFollowIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newFallbackRig()
		r.dropWarmup(r.inv, "a timer is left")
		if inv := r.reused(r.inv); !inv.Rollback || inv.Warmup != nil || r.inv.Warmup == nil {
			t.Errorf("served as %+v", inv)
		}
		if time.Sleep(firstFallback); r.reused(r.inv).Warmup == nil {
			t.Error("it is not tried again")
		}
		r.refuse(r.inv, ReplacedUnprepared, "a timer of the top-level code")
		if !r.own() || r.list("", true)[0].WarmupOnly {
			t.Error("the top-level code does not count")
		}
	})
}

// The time is in the form that all others of the API have.
func TestAFallbackAsJSON(t *testing.T) {
	until := time.Date(2026, 11, 29, 13, 0, 0, 120_456_789, time.FixedZone("", 3600))
	for _, row := range []struct {
		fallback RollbackFallback
		want     string
	}{
		{
			RollbackFallback{Filename: "a/b", Reason: "why", Until: until},
			`{"function":"a/b","reason":"why","until":"2026-11-29T12:00:00.120Z"}`,
		},
		{
			RollbackFallback{Filename: "a/b", Reason: "why", Until: until, WarmupOnly: true},
			`{"function":"a/b","reason":"why","warmupOnly":true,"until":"2026-11-29T12:00:00.120Z"}`,
		},
	} {
		got, err := json.Marshal([]RollbackFallback{row.fallback})
		if err != nil || string(got) != "["+row.want+"]" {
			t.Errorf("got %s, %v, want %s", got, err, row.want)
		}
	}
}
