package sandbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// traffic is a stream of calls that come whether or not others are answered.
type traffic struct {
	keys int
	name string                                  // of the group
	rate float64                                 // calls a second
	mean func(after time.Duration) time.Duration // of the time that a call takes, which is exponentially distributed
}

func takes(mean time.Duration) func(time.Duration) time.Duration {
	return func(time.Duration) time.Duration { return mean }
}

// outcome is what became of the calls of one stream.
type outcome struct {
	served, refused, timedOut int           // refused: at once
	waited                    time.Duration // by those that were served
}

func (o *outcome) count(waited time.Duration, err error) {
	var busy *BusyError
	switch {
	case err == nil:
		o.served++
		o.waited += waited
	case errors.As(err, &busy) && busy.Cause == BusyExpectedWait:
		o.refused++
	default:
		o.timedOut++
	}
}

func (o *outcome) meanWait() time.Duration {
	return (o.waited / time.Duration(max(o.served, 1))).Round(time.Millisecond)
}

// letIn is Invoke without the refusal of calls that have no prospect.
func letIn(t *testing.T, p *runtimePool, inv *Invocation) (Stats, error) {
	began := time.Now()
	s, c := p.scheduler, &call{inv: inv, group: inv.Group, key: inv.Key, alone: true}
	s.mu.Lock()
	if s.takeLocked(c) {
		s.calls.Add(1)
		s.mu.Unlock()
	} else {
		c.ready = make(chan struct{})
		s.queue.push(c)
		s.mu.Unlock()
		s.wakeKeeper()
		if err := s.wait(t.Context(), c); err != nil {
			return Stats{}, err
		}
	}
	defer s.calls.Done()
	served := Stats{Queue: time.Since(began)}
	_, reusable, err := c.slot.invoke(t.Context(), c)
	s.release(c, callCost{}, reusable)
	return served, err
}

// simulate runs the streams on a pool of four workers, whose queue holds all and lets wait for a second, for so long.
func simulate(t *testing.T, streams []traffic, long time.Duration, refusing bool) []outcome {
	t.Helper()
	outcomes := make([]outcome, len(streams))
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(4, 0)
		cfg.QueueTimeout, cfg.QueueSize = time.Second, 100_000
		pool := fakePool(t, cfg, &fakeStarter{startTime: 2 * time.Millisecond, reapTime: time.Millisecond})
		began := time.Now()
		var mu sync.Mutex // guards outcomes
		var all sync.WaitGroup
		for i, s := range streams {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			all.Go(func() {
				for time.Since(began) < long {
					time.Sleep(time.Duration(random.ExpFloat64() / s.rate * float64(time.Second)))
					takes := time.Duration(random.ExpFloat64() * float64(s.mean(time.Since(began))))
					inv := invocation(s.name+"/"+strconv.Itoa(random.IntN(s.keys)), takes.String())
					all.Go(func() {
						var stats Stats
						var err error
						if !refusing {
							stats, err = letIn(t, pool, inv)
						} else if result, failure := pool.Invoke(t.Context(), inv); failure == nil {
							stats = result.Stats
						} else {
							err = failure
						}
						mu.Lock()
						defer mu.Unlock()
						outcomes[i].count(stats.Queue, err)
					})
				}
			})
		}
		all.Wait()
	})
	return outcomes
}

func TestCallsAreRefusedAtOnceOnlyWhereThatServesNobodyLess(t *testing.T) {
	recovering := func(after time.Duration) time.Duration {
		if after < 20*time.Second {
			return 200 * time.Millisecond
		}
		return 20 * time.Millisecond
	}
	for name, row := range map[string]struct {
		long    time.Duration
		streams []traffic
	}{
		"enough room":                  {30 * time.Second, []traffic{{4, "a", 150, takes(20 * time.Millisecond)}}},
		"one function, three times":    {10 * time.Second, []traffic{{1, "a", 600, takes(20 * time.Millisecond)}}},
		"fifty functions, three times": {10 * time.Second, []traffic{{50, "a", 600, takes(20 * time.Millisecond)}}},
		"long calls":                   {30 * time.Second, []traffic{{8, "a", 20, takes(600 * time.Millisecond)}}},
		"slow calls flood, fast ones do not": {30 * time.Second, []traffic{
			{3, "slow", 40, takes(300 * time.Millisecond)}, {3, "fast", 50, takes(5 * time.Millisecond)},
		}},
		"fast calls flood, slow ones do not": {30 * time.Second, []traffic{
			{3, "fast", 1000, takes(9 * time.Millisecond)}, {3, "slow", 2, takes(300 * time.Millisecond)},
		}},
		"ten groups, ten times": {30 * time.Second, tenGroups()},
		"slow at first":         {time.Minute, []traffic{{2, "a", 150, recovering}}},
	} {
		t.Run(name, func(t *testing.T) {
			with, without := simulate(t, row.streams, row.long, true), simulate(t, row.streams, row.long, false)
			var sum, all outcome
			for i, s := range row.streams {
				w, o := with[i], without[i]
				t.Logf("%s: served %d, after %v on average; refused %d at once, %d after a wait. "+
					"Else: served %d after %v, refused %d after a wait",
					s.name, w.served, w.meanWait(), w.refused, w.timedOut, o.served, o.meanWait(), o.timedOut)
				if w.served < o.served*90/100 { // chance decides between equals
					t.Errorf("%s: served %d, without refusals %d", s.name, w.served, o.served)
				}
				sum.served, all.served = sum.served+w.served, all.served+o.served
				if strings.HasSuffix(name, "room") && w.refused+w.timedOut > 0 {
					t.Errorf("refused %d calls though there is room", w.refused+w.timedOut)
				}
			}
			if sum.served < all.served*97/100 {
				t.Errorf("served %d, without refusals %d", sum.served, all.served)
			}
		})
	}
}

func tenGroups() (streams []traffic) {
	for i := range 10 {
		streams = append(streams, traffic{5, "g" + strconv.Itoa(i), 100, takes(40 * time.Millisecond)})
	}
	return streams
}

func TestRefusalTellsItsCauseAndWhenToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fakeConfig(1, 0)
		cfg.QueueSize, cfg.QueueTimeout = 30, 10*time.Second
		pool := fakePool(t, cfg, &fakeStarter{})
		for range serviceCalls {
			answered(t, pool, invocation("a", "1s"))
		}
		refusal := func(key string) *BusyError {
			t.Helper()
			began := time.Now()
			_, err := pool.Invoke(t.Context(), invocation(key, "1s"))
			var busy *BusyError
			if !errors.As(err, &busy) || !errors.Is(err, ErrBusy) || time.Since(began) != 0 {
				t.Fatalf("got %v after %v", err, time.Since(began))
			}
			return busy
		}
		for range 12 { // one runs, of the others the last one expects to wait for ten seconds
			go func() { _, _ = pool.Invoke(t.Context(), invocation("a", "1s")) }()
			synctest.Wait()
		}
		if busy := refusal("a"); busy.Cause != BusyExpectedWait || busy.RetryAfter != 11*time.Second {
			t.Errorf("got %+v", busy)
		}
		for range 19 { // of another function: nothing is known of it
			go func() { _, _ = pool.Invoke(t.Context(), invocation("b", "1s")) }()
		}
		synctest.Wait()
		if busy := refusal("b"); busy.Cause != BusyQueueFull {
			t.Errorf("got %+v", busy)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		time.Sleep(15 * time.Second)
		if _, err := pool.Invoke(ctx, invocation("a", "1s")); err != nil {
			t.Errorf("once the queue has been served: %v", err)
		}
	})
}

func TestCallIsRefusedAtOnceWhenItsDeadlineIsNearerThanItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := fakePool(t, fakeConfig(1, 0), &fakeStarter{})
		for range serviceCalls {
			answered(t, pool, invocation("a", "1s"))
		}
		for range 5 {
			go func() { _, _ = pool.Invoke(t.Context(), invocation("a", "1s")) }()
		}
		synctest.Wait()
		for _, row := range []struct {
			patience time.Duration
			refused  bool
		}{{3 * time.Second, true}, {6 * time.Second, false}} {
			ctx, cancel := context.WithTimeout(t.Context(), row.patience)
			_, err := pool.Invoke(ctx, invocation("a", "1s"))
			cancel()
			if errors.Is(err, ErrBusy) != row.refused {
				t.Errorf("with %v to wait: %v", row.patience, err)
			}
		}
	})
}

func TestPaceExpectsTooLittleRatherThanTooMuch(t *testing.T) {
	now := time.Now()
	p := &serviceTime{}
	for range serviceCalls - 1 {
		p.add(callCost{took: time.Second}, now)
	}
	if got := p.least(now); got != 0 {
		t.Errorf("after too few calls: %v", got)
	}
	p.add(callCost{took: time.Second}, now)
	if got := p.least(now); got != time.Second {
		t.Errorf("after equal calls: %v", got)
	}
	p.add(callCost{took: 9 * time.Second}, now)
	if got := p.least(now); got >= 1900*time.Millisecond {
		t.Errorf("after one long call: %v", got)
	}
	if got := p.least(now.Add(2 * serviceAge)); got != 0 {
		t.Errorf("after a long pause: %v", got)
	}
	known := serviceTimes{}
	for i := range 3 * serviceKeys {
		known.add(strconv.Itoa(i), callCost{took: time.Second})
	}
	if len(known) > serviceKeys {
		t.Errorf("%d paces are kept", len(known))
	}
}
