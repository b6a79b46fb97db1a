package worker

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// rung notes when an alarm rings.
type rung struct {
	began time.Time
	mu    sync.Mutex // guards at
	at    []time.Duration
}

// set sets a to ring in so much time, and returns for whom.
func (r *rung) set(a *alarm, timeout time.Duration) *deadlines {
	d := new(deadlines)
	a.set(d, time.Now(), timeout, func(of *deadlines, due time.Time) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if of == d && due.Equal(time.Now()) {
			r.at = append(r.at, due.Sub(r.began))
		}
	})
	return d
}

func TestAnAlarmRingsWhenItIsDue(t *testing.T) {
	const minute = time.Minute
	for name, row := range map[string]struct {
		life func(a *alarm, r *rung)
		want []time.Duration
	}{
		"once": {func(a *alarm, r *rung) { r.set(a, minute) }, []time.Duration{minute}},
		"not after it was stopped": {func(a *alarm, r *rung) {
			r.set(a, minute)
			time.Sleep(minute - 1)
			if !a.stop() || a.stop() {
				panic("it was set, and then it was not")
			}
		}, nil},
		"for the next one, later than for the one before": {func(a *alarm, r *rung) {
			for range 10 {
				r.set(a, minute)
				time.Sleep(minute / 4)
				a.stop()
			}
			r.set(a, minute)
		}, []time.Duration{10*minute/4 + minute}},
		"for the next one, earlier than for the one before": {func(a *alarm, r *rung) {
			r.set(a, 10*minute)
			a.stop()
			r.set(a, minute)
		}, []time.Duration{minute}},
		"for one in the place of another": {func(a *alarm, r *rung) {
			r.set(a, minute)
			r.set(a, 2*minute)
		}, []time.Duration{2 * minute}},
		"again": {func(a *alarm, r *rung) {
			r.set(a, minute)
			time.Sleep(2 * minute)
			if a.stop() {
				panic("it has rung")
			}
			r.set(a, minute)
		}, []time.Duration{minute, 3 * minute}},
		"not after its end": {func(a *alarm, r *rung) {
			r.set(a, minute)
			a.end()
			r.set(a, 2*minute)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, r := new(alarm), &rung{began: time.Now()}
				row.life(a, r)
				time.Sleep(time.Hour)
				synctest.Wait()
				if !slices.Equal(r.at, row.want) {
					t.Errorf("it rang at %v, want %v", r.at, row.want)
				}
			})
		})
	}
}

// A process that serves call after call keeps one timer, and none once nobody calls it.
func TestTheTimerOfAnAlarmRunsOnBetweenCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, r := new(alarm), &rung{began: time.Now()}
		r.set(a, time.Minute)
		first := a.runs
		for range 100 {
			a.stop()
			time.Sleep(time.Millisecond)
			r.set(a, time.Minute)
		}
		if a.runs != first {
			t.Errorf("the timer was set anew")
		}
		a.stop()
		time.Sleep(time.Hour)
		synctest.Wait()
		if !a.runs.IsZero() || len(r.at) > 0 {
			t.Errorf("the timer runs until %v, the alarm rang at %v", a.runs, r.at)
		}
	})
}
