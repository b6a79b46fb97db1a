package sandbox

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// serveFlood lets clients of each key call without a pause and returns how many calls of each were answered within
// spell.
func serveFlood(t *testing.T, size int, spell time.Duration, clients map[string]int) map[string]int {
	t.Helper()
	served := map[string]int{}
	synctest.Test(t, func(t *testing.T) {
		pool := fakePool(t, fakeConfig(size, 0), &fakeStarter{startTime: 2 * time.Millisecond, reapTime: time.Millisecond})
		end := time.Now().Add(spell)
		var mu sync.Mutex // guards served
		var all sync.WaitGroup
		for key, n := range clients {
			for range n {
				all.Go(func() {
					n := 0
					for time.Now().Before(end) && answered(t, pool, invocation(key, "1ms")) != "" {
						n++
					}
					mu.Lock()
					defer mu.Unlock()
					served[key] += n
				})
			}
		}
		all.Wait()
	})
	return served
}

func TestFloodOfOneGroupDoesNotStarveAnother(t *testing.T) {
	clients := map[string]int{"b/f": 1}
	for i := range 100 {
		clients[fmt.Sprintf("a/%d", i)] = 1 // each function its own worker
	}
	served := serveFlood(t, 2, 10*time.Second, clients)
	total, most := 0, 0
	for key, n := range served {
		if key != "b/f" {
			total += n
			most = max(most, n)
		}
		if n == 0 {
			t.Errorf("%s was never answered", key)
		}
	}
	// On two slots a group that asks all the time could hold one: 1000 calls a second.
	if served["b/f"] < 4000 {
		t.Errorf("b was answered %d times beside 100 clients of a, a %d times", served["b/f"], total)
	}
	if most > total/20 {
		t.Errorf("one function of a was answered %d times, all of a %d times", most, total)
	}
}

func TestFloodOfOneFunctionDoesNotStarveAnother(t *testing.T) {
	for name, clients := range map[string]map[string]int{
		"of its group":     {"a/hot": 50, "a/rare": 1},
		"of another group": {"a/hot": 50, "b/rare": 1},
	} {
		served := serveFlood(t, 2, time.Second, clients)
		// At most a quantum of 50 ms, and the time of a death and a start, lies between two turns.
		if served["a/rare"]+served["b/rare"] < 200 || served["a/hot"] < 500 {
			t.Errorf("%s: %v", name, served)
		}
	}
}

func TestClientWithoutPauseDoesNotKeepTheOnlyWorker(t *testing.T) {
	served := serveFlood(t, 1, time.Second, map[string]int{"a/hot": 1, "b/rare": 1})
	if served["b/rare"] < 200 || served["a/hot"] < 200 {
		t.Errorf("got %v", served)
	}
}

func TestWorkerGivesWayOnlyAsOftenAsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starter := &fakeStarter{startTime: 40 * time.Millisecond, reapTime: time.Millisecond}
		pool := fakePool(t, fakeConfig(4, 0), starter)
		end := time.Now().Add(time.Second)
		for range 40 {
			go func() {
				for time.Now().Before(end) && answered(t, pool, invocation("a/hot", "1ms")) != "" {
				}
			}()
		}
		time.Sleep(500 * time.Millisecond)
		answered(t, pool, invocation("b/once", "1ms"))
		ended := 0
		for n := range 4 { // those of a/hot; that of b/once may be on its way out as well
			if starter.child(n).killedFor() != "" {
				ended++
			}
		}
		if ended != 1 {
			t.Errorf("one call of another function ended %d workers of four", ended)
		}
		time.Sleep(time.Second)
	})
}
