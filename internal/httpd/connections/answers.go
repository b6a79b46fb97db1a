package connections

import (
	"sync"
	"sync/atomic"
	"time"
)

// patience is how long a caller may read nothing before its answer can be cut off for others.
const patience = time.Second

// Answers bounds the memory of long answers that wait to be taken. One that does not fit waits for others to be taken;
// of those whose callers read nothing, the one that has waited longest is cut off. It is safe for concurrent use;
// nil bounds nothing.
type Answers struct {
	limit int64

	mu      sync.Mutex // guards the fields below
	changed *sync.Cond
	used    int64 // of those on their way
	waiting int64 // of those that wait to be
	cut     uint64
	held    map[*answer]struct{}
}

// answer is one on its way.
type answer struct {
	cut   func() // ends it at once
	bytes int64
	moved atomic.Int64 // when a part of it was last taken, in nanoseconds of the clock that began with the process
}

// NewAnswers returns Answers of at most limit bytes.
func NewAnswers(limit int64) *Answers {
	a := &Answers{limit: limit, held: map[*answer]struct{}{}}
	a.changed = sync.NewCond(&a.mu)
	return a
}

// Stats returns the state; Refused are those that were cut off.
func (a *Answers) Stats() MemoryStats {
	a.mu.Lock()
	defer a.mu.Unlock()
	return MemoryStats{a.used, a.limit, a.cut}
}

// take reserves so many bytes for an answer that cut ends, if needed after others have been freed. It gives up waiting,
// and cuts one off, as soon as waiting would hold as much again, or has lasted for as long as a caller may take for a
// part.
func (a *Answers) take(cut func(), most time.Duration, bytes int) *answer {
	h := &answer{cut: cut, bytes: int64(bytes)}
	if a == nil {
		return h
	}
	began := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.used+h.bytes > a.limit && len(a.held) > 0 {
		stalest, still := a.stalest()
		if still >= patience || a.waiting+h.bytes > a.limit || time.Since(began) >= most {
			a.cutOff(stalest)
			continue
		}
		a.wait(h, patience-still)
	}
	a.held[h] = struct{}{}
	a.used += h.bytes
	h.advanced()
	return h
}

// stalest is the answer of which nothing was taken for longest, and for how long.
func (a *Answers) stalest() (*answer, time.Duration) {
	var stalest *answer
	for h := range a.held {
		if stalest == nil || h.moved.Load() < stalest.moved.Load() {
			stalest = h
		}
	}
	return stalest, clock() - time.Duration(stalest.moved.Load())
}

func (a *Answers) cutOff(h *answer) {
	a.cut++
	a.forget(h)
	h.cut()
}

// wait returns when something has changed, or after so long.
func (a *Answers) wait(h *answer, most time.Duration) {
	a.waiting += h.bytes
	timer := time.AfterFunc(most, a.changed.Broadcast)
	a.changed.Wait()
	timer.Stop()
	a.waiting -= h.bytes
}

// give frees the memory of h, which has been sent.
func (a *Answers) give(h *answer) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget(h)
}

func (a *Answers) forget(h *answer) {
	if _, ok := a.held[h]; ok {
		delete(a.held, h)
		a.used -= h.bytes
		a.changed.Broadcast()
	}
}

// advanced says that a part of h was taken.
func (h *answer) advanced() { h.moved.Store(int64(clock())) }

var processStart = time.Now()

// clock is the time since the process began; it never goes back.
func clock() time.Duration { return time.Since(processStart) }
