package perclient

import (
	"strconv"
	"sync"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestEachClientHasABucketOfItsOwn(t *testing.T) {
	l := New(10*time.Second, 3, 100)
	for _, step := range []struct {
		after  time.Duration
		client string
		wait   time.Duration
	}{
		{0, "a", 0},
		{0, "a", 0},
		{0, "a", 0},
		{0, "a", 10 * time.Second},
		{4 * time.Second, "a", 6 * time.Second},
		{4 * time.Second, "b", 0},
		{10 * time.Second, "a", 0},
		{10 * time.Second, "a", 10 * time.Second},
	} {
		wait, ok := l.Take(step.client, start.Add(step.after))
		if ok != (step.wait == 0) || (wait-step.wait).Abs() > time.Millisecond {
			t.Errorf("%s after %s: %t, wait %s, want %s", step.client, step.after, ok, wait, step.wait)
		}
	}
}

// A client with many addresses does not make the server remember all, nor forget those that it limits.
func TestClientsAreForgotten(t *testing.T) {
	l := New(time.Hour, 2, 50)
	for range 3 {
		l.Take("guesser", start)
	}
	for i := range 10_000 {
		l.Take(strconv.Itoa(i), start)
	}
	if n := len(l.clients); n != 50 {
		t.Errorf("%d clients are known", n)
	}
	if _, ok := l.Take("guesser", start); ok {
		t.Error("the one that was limited is forgotten")
	}
}

func TestClientsAtOnce(t *testing.T) {
	l := New(time.Hour, 100, 10)
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 10 {
		wg.Go(func() {
			for range 50 {
				if _, ok := l.Take("a", start); ok {
					mu.Lock()
					taken++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if taken != 100 {
		t.Errorf("%d tokens were taken", taken)
	}
}
