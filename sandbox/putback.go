package sandbox

import (
	"runtime"
	"time"
)

// A worker that is put back after each call does so behind the answer:
//
//	caller    ├──────────┤ answer
//	worker    ├── call ──┤─ is put back ─┤ next call      or, where none waits, idle and resumed
//	counts as └──────── serving ─────────┘
//	                     └── putBackPatience ──▶ as at work after an answer: others may have its room
//
// That takes tens of microseconds, so the worker counts as serving meanwhile. If it did not, calls that wait would have
// other workers started and ended in its place, each of which takes a thousand times as long.

// putBackPatience is how long a worker counts as serving after its answer. One that takes longer computes what its
// call has left, or waits for a processor.
const putBackPatience = 20 * time.Millisecond

// putBackAtOnce is how many workers that are put back keep a processor busy. They get one call at a time, and wait for
// the server after each: while it puts one back another computes, and each time it wakes it finds several.
const putBackAtOnce = 4

// resumer is a child that has something to do before its next call which the caller need not wait for.
type resumer interface{ resume() }

// tryer is work after an answer that may be over in a moment; until over is true, wait is to be called.
type tryer interface{ try() (reusable, over bool) }

// startPutBack has the worker of c, which has answered, put back to what it was, and serve the next call. While calls
// of its function wait, that is done before the caller goes on, if it takes but a moment: to have another goroutine do
// it would take the processors longer.
//
// Then there are several callers at the same step. Before and after, each lets the others go first, so that all read
// their answers, all put their workers back, and all answer their clients: a step that is done several times in a row
// finds the processor's caches warm, and a client that is sent several answers wakes once. By the time its turn comes a
// worker has got to its stub.
func (s *scheduler) startPutBack(c *call, cost callCost) {
	w, work := c.slot, c.putBack
	callsWait := s.beginPutBack(w)
	if work, ok := work.(tryer); ok && callsWait {
		answered := time.Now()
		runtime.Gosched()
		if reusable, over := work.try(); over {
			cost.took += time.Since(answered)
			s.endPutBack(w, c.inv, cost, reusable)
			runtime.Gosched()
			return
		}
	}
	inv := c.inv.slim()
	s.calls.Add(1)
	answered, over := time.Now(), false // over is guarded by the lock
	slow := time.AfterFunc(putBackPatience, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !over {
			s.makeLateLocked(w)
		}
	})
	go func() {
		defer s.calls.Done()
		reusable := work.wait()
		slow.Stop()
		cost.took += time.Since(answered)
		s.mu.Lock()
		over = true
		s.mu.Unlock()
		s.endPutBack(w, inv, cost, reusable)
	}()
}

// endPutBack has w, which has served inv and was put back, serve the next call or be idle, or end.
func (s *scheduler) endPutBack(w *slot, inv *Invocation, cost callCost, reusable bool) {
	s.mu.Lock()
	s.serviceTimes.add(w.key, cost)
	w.calls++
	s.endLateWorkLocked(w, inv, reusable)
	idle := s.idle.holds(w)
	s.mu.Unlock()
	if idle {
		w.resume()
	}
}

// beginPutBack notes that w has answered and is put back. It says whether calls of its function wait for a worker.
func (s *scheduler) beginPutBack(w *slot) (callsWait bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setPutBackLocked(w, w.serving)
	return s.queue.has(w.key)
}

// setPutBackLocked notes whether w, which serves a call, is put back behind its answer.
func (s *scheduler) setPutBackLocked(w *slot, putBack bool) {
	if w.putBack == putBack {
		return
	}
	if w.putBack = putBack; putBack {
		s.putBack++
	} else {
		s.putBack--
	}
}

// resume has w, which is idle or was a moment ago, prepare for its next call.
func (w *slot) resume() {
	if child, ok := w.child.(resumer); ok {
		child.resume()
	}
}
