package sandbox

import "time"

// startLateWork lets the work that c has left go on in its worker, which has answered. That serves nobody meanwhile
// and, while it waits and does not compute, takes no part of anybody's share: a call that needs its room has it
// (evictLocked).
func (s *scheduler) startLateWork(c *call, cost callCost) {
	w, inv, work := c.slot, c.inv.slim(), c.late
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serviceTimes.add(w.key, cost)
	w.calls++
	s.requeueBatchLocked(w)
	s.makeLateLocked(w)
	s.calls.Add(1)
	go func() {
		defer s.calls.Done()
		reusable := work.wait()
		s.mu.Lock()
		s.endLateWorkLocked(w, inv, reusable)
		idle := s.idle.holds(w)
		s.mu.Unlock()
		if idle {
			w.resume()
		}
	}()
}

// makeLateLocked has w, which has answered, count as at work after that, unless it is at its end.
func (s *scheduler) makeLateLocked(w *slot) {
	s.setBusyLocked(w, false)
	s.setServingLocked(w, false)
	if !w.retired {
		w.since, w.lastUsed = time.Now(), time.Now()
		s.setLateLocked(w, true)
	}
	s.wakeKeeperIfWaitingLocked()
}

// endLateWorkLocked takes w back when that work is over.
func (s *scheduler) endLateWorkLocked(w *slot, inv *Invocation, reusable bool) {
	s.setLateLocked(w, false)
	if w.retired {
		return
	}
	w.lastUsed = time.Now()
	s.takeBackLocked(w, inv, reusable && !w.ended)
}

// endComputingLocked ends work after answers that uses processors, as long as calls wait for what it counts for.
func (s *scheduler) endComputingLocked() {
	for s.budget.shares.computing.total > 0 {
		w, owner := s.computingVictimLocked()
		if w == nil {
			return
		}
		owner.retireLocked(w, ReasonEvicted)
	}
}

// computingVictimLocked returns the worker, and its pool, whose work after its answer makes room for a call that waits
// here: one of a group that has more than the caller's, that of the richest one first. Of the caller's own group one
// only gives way where that has nothing else.
func (s *scheduler) computingVictimLocked() (victim *slot, of *scheduler) {
	active, computing := s.budget.shares.active.of, s.budget.shares.computing.of
	for name, g := range s.queue.groups.members {
		if s.wantsLocked(g) == 0 || s.hasCapacityLocked(name) {
			continue
		}
		gives := func(group string) bool {
			return active[group] > active[name] || group == name && active[name] == computing[name]
		}
		for _, pool := range s.budget.schedulers {
			for w := range pool.workers {
				if w.computes && gives(w.group) && (victim == nil || active[w.group] > active[victim.group]) {
					victim, of = w, pool
				}
			}
		}
	}
	return victim, of
}
