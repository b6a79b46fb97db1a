package sandbox

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"time"
)

// Bounds on how often authors are told of a warmup that throws, which it does in each worker.
const (
	tellWarmupAgain  = time.Hour
	mostWarmupFaults = 5_000 // versions of functions that are known; as many again from before these
)

// warmupFaults knows which warmups have thrown lately, so that their authors are told once in a while. It is safe for
// concurrent use, and its zero value ready for it.
type warmupFaults struct {
	mu sync.Mutex // guards the fields below
	// Of versions of functions, by the hashes of their keys: when now has as many as may be, it becomes before, and what
	// that had is forgotten.
	now, before map[[sha256.Size]byte]*warmupFault
}

type warmupFault struct {
	told  time.Time
	since int // failures that were not told
}

// add notes that the warmup of the functions with that key has thrown text. It returns what to tell of it; empty when
// that was told lately.
func (w *warmupFaults) add(key, text string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	fault := w.ofLocked(sha256.Sum256([]byte(key)))
	if now := time.Now(); fault.told.IsZero() || now.Sub(fault.told) >= tellWarmupAgain {
		if fault.since > 0 {
			text += fmt.Sprintf(" (and %d times since this was told last)", fault.since)
		}
		*fault = warmupFault{told: now}
		return "the warmup failed: " + text + ": calls are served all the same. " +
			`Have main answer the request of "warmup", or deploy another one. This is told once an hour`
	}
	fault.since++
	return ""
}

func (w *warmupFaults) ofLocked(id [sha256.Size]byte) *warmupFault {
	if fault := w.now[id]; fault != nil {
		return fault
	}
	if len(w.now) >= mostWarmupFaults || w.now == nil {
		w.now, w.before = map[[sha256.Size]byte]*warmupFault{}, w.now
	}
	fault := w.before[id]
	if fault == nil {
		fault = &warmupFault{}
	}
	w.now[id] = fault
	return fault
}

// tellerOfWarmup is told what the warmup of inv throws, and tells the function's author.
func (f *fallbacks) tellerOfWarmup(inv *Invocation) func(text string) {
	if f == nil { // there is no Pool
		return nil
	}
	return func(text string) {
		if line := f.warmups.add(inv.Key, text); line != "" {
			inv.warn(line)
		}
	}
}
