package sandbox

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Each worker serves the warmup: what it throws is told once an hour for each version of a function, with how often it
// was not.
func TestAWarmupThatThrowsIsToldOnceAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, lines := newFallbacks(nil), []string{}
		inv := &Invocation{Key: "version 1", OnLog: func(line LogLine) { lines = append(lines, line.Text) }}
		throw := func(inv *Invocation, times int) (told []string) {
			lines = nil
			for range times {
				f.tellerOfWarmup(inv)("Error: not ready")
			}
			return lines
		}
		first := throw(inv, 60)
		if len(first) != 1 || !strings.HasPrefix(first[0], "the warmup failed: Error: not ready: ") {
			t.Fatalf("told %q", first)
		}
		other := *inv
		other.Key = "version 2"
		if got := throw(&other, 2); len(got) != 1 || got[0] != first[0] {
			t.Errorf("of another version it is told %q", got)
		}
		if time.Sleep(tellWarmupAgain - 1); len(throw(inv, 1)) != 0 {
			t.Error("told again before an hour")
		}
		time.Sleep(time.Nanosecond)
		const counted = "not ready (and 60 times since this was told last)"
		if got := throw(inv, 2); len(got) != 1 || !strings.Contains(got[0], counted) {
			t.Errorf("an hour later it is told %q", got)
		}
	})
}

// However many functions there are, the memory of them is bounded, and those of which it was told lately are known.
func TestWarmupsThatThrowTakeBoundedMemory(t *testing.T) {
	var w warmupFaults
	for i := range 5 * mostWarmupFaults {
		if w.add(strconv.Itoa(i), "x") == "" || w.add(strconv.Itoa(i), "x") != "" {
			t.Fatalf("function %d is not told of once", i)
		}
		if len(w.now)+len(w.before) > 2*mostWarmupFaults {
			t.Fatalf("%d are known", len(w.now)+len(w.before))
		}
		id := sha256.Sum256([]byte(strconv.Itoa(max(i-mostWarmupFaults+1, 0))))
		if w.now[id] == nil && w.before[id] == nil {
			t.Fatalf("after function %d one of the last %d is forgotten", i, mostWarmupFaults)
		}
	}
}
