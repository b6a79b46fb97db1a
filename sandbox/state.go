package sandbox

import "time"

func (s *scheduler) bindLocked(w *slot, group, key string) {
	s.lastBound = time.Now()
	w.group, w.key, w.bound = group, key, s.lastBound
	s.bound[key]++
	s.budget.groups[group]++
}

// unbindLocked forgets the worker w, which is dead.
func (s *scheduler) unbindLocked(w *slot) {
	for _, count := range []struct {
		of   map[string]int
		name string
	}{{s.bound, w.key}, {s.budget.groups, w.group}} {
		if count.of[count.name]--; count.of[count.name] == 0 {
			delete(count.of, count.name)
		}
	}
}

// setBusyLocked notes whether w serves a call.
func (s *scheduler) setBusyLocked(w *slot, busy bool) {
	if w.busy == busy {
		return
	}
	w.busy = busy
	b := s.busy[w.key]
	if busy {
		if b.workers++; b.workers == 1 {
			b.since = time.Now()
		}
	} else if b.workers--; b.workers == 0 {
		delete(s.busy, w.key)
		return
	}
	s.busy[w.key] = b
}

// setServingLocked notes whether w serves a call, busy or not.
func (s *scheduler) setServingLocked(w *slot, serving bool) {
	if w.serving == serving {
		return
	}
	w.serving = serving
	if serving {
		w.since = time.Now()
		s.budget.shares.serving.add(w.group, 1)
		s.budget.shares.active.add(w.group, 1)
		s.budget.noteServingLocked()
		return
	}
	s.setWaitingLocked(w, false)
	s.setPutBackLocked(w, false)
	w.queued, w.behind = false, false
	w.pending, w.seen, w.lookAt = false, 0, time.Time{}
	s.budget.shares.serving.add(w.group, -1)
	s.budget.shares.active.add(w.group, -1)
	s.wakeOthersLocked()
}

// setPendingLocked notes that main has returned in w, and that its answer is to come.
func (s *scheduler) setPendingLocked(w *slot) {
	w.pending = w.serving && s.grows()
	if w.pending && s.serviceTimes.waits(w.key) {
		s.setWaitingLocked(w, true)
	}
}

// setWaitingLocked notes whether the call on w waits for something.
func (s *scheduler) setWaitingLocked(w *slot, waiting bool) {
	if w.waiting == waiting {
		return
	}
	w.waiting = waiting
	if waiting {
		s.budget.shares.active.add(w.group, -1)
		s.wakeOthersLocked()
	} else {
		s.budget.shares.active.add(w.group, 1)
	}
}

// setLateLocked notes whether w is at work after an answer.
func (s *scheduler) setLateLocked(w *slot, late bool) {
	if w.late == late {
		return
	}
	w.late = late
	if !late {
		s.setComputesLocked(w, false)
	}
	if late {
		s.late++
		s.budget.late++
		s.budget.noteServingLocked()
	} else {
		s.late--
		s.budget.late--
	}
}

// setComputesLocked notes whether w, at work after an answer, uses a processor. Then it counts as active for its group,
// as a call does.
func (s *scheduler) setComputesLocked(w *slot, computes bool) {
	if w.computes == computes {
		return
	}
	w.computes = computes
	n := 1
	if !computes {
		n = -1
	}
	s.budget.shares.active.add(w.group, n)
	s.budget.shares.computing.add(w.group, n)
	s.wakeOthersLocked()
	s.wakeKeeperIfWaitingLocked()
}

// makeIdleLocked makes w idle.
func (s *scheduler) makeIdleLocked(w *slot) {
	s.setBusyLocked(w, false)
	s.idle.put(w)
}

// retireLocked kills w; its slot is free when its watcher has seen the end.
func (s *scheduler) retireLocked(w *slot, reason Reason) {
	if !w.retired {
		w.retired = true
		s.retiring++
		s.setBusyLocked(w, false)
		s.setServingLocked(w, false)
		s.setLateLocked(w, false)
		s.endStallLocked(w)
		w.kill(reason)
	}
}

// isSpent says whether a worker has served as many calls as it may; 0 sets no limit.
func isSpent(calls, limit int) bool { return limit > 0 && calls >= limit }
