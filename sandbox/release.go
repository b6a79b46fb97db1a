package sandbox

import "time"

// release takes the worker of c back after the call, which has cost so much.
func (s *scheduler) release(c *call, cost callCost, reusable bool) {
	w := c.slot
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serviceTimes.add(w.key, cost)
	w.calls++
	w.lastUsed = time.Now()
	reusable = reusable && !w.ended // which may come between the answer and here
	if reusable && s.nextInBatchLocked(w) {
		s.wakeKeeperIfUnsaturatedLocked(w.key)
		return
	}
	s.takeBackLocked(w, c.inv, reusable)
}

// takeBackLocked has w, which has served inv, serve the next call, be idle or end.
func (s *scheduler) takeBackLocked(w *slot, inv *Invocation, reusable bool) {
	s.requeueBatchLocked(w)
	s.setServingLocked(w, false)
	spent := isSpent(w.calls, s.cfg.MaxInvocations) || isSpent(w.calls, inv.MaxInvocations)
	select {
	case <-w.dead():
		return // its watcher does the rest
	default:
	}
	switch {
	case !reusable || spent || s.closed:
		s.retireLocked(w, ReasonRetired)
		s.wakeKeeperIfWaitingLocked()
	case s.queue.len() == 0:
		s.makeIdleLocked(w)
	default:
		s.reassignLocked(w, inv)
	}
}

// reassignLocked has w, which has just served last, serve the next call of its function, or be idle, or end where
// others need its room.
func (s *scheduler) reassignLocked(w *slot, last *Invocation) {
	if s.mayKeepLocked(w) {
		if s.queue.has(w.key) && s.mayTakeLocked(w.group) {
			s.assignBatchLocked(w, last)
			s.wakeKeeperIfUnsaturatedLocked(w.key)
			return
		}
		s.makeIdleLocked(w)
	} else {
		s.yieldLocked(w, s.nextLocked(s.notSaturatedLocked))
	}
	s.dispatchLocked()
	s.wakeKeeperIfWaitingLocked()
}

// yieldLocked has w, which has just served, make way for next: for another function of its group by its end, where
// slots are scarce, for another group as any idle worker does.
func (s *scheduler) yieldLocked(w *slot, next *call) {
	switch {
	case s.atHandLocked(next.key):
		s.serveLocked(next)
		s.makeIdleLocked(w)
	case next.group == w.group && (!s.grows() || s.roomLocked() <= 0):
		s.retireLocked(w, ReasonEvicted)
	default:
		s.makeIdleLocked(w)
		if s.shortageLocked() > s.freeLocked() {
			s.evictLocked()
		}
	}
}
