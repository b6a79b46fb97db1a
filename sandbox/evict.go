package sandbox

// evictLocked ends a worker to make room, if there is one that serves nobody: of those that are idle or at work after
// an answer one of the group that has the most workers, and there an idle one before one at work, and the one that was
// not used for the longest time; if none is, one that another pool keeps ready.
func (s *scheduler) evictLocked() bool {
	var victim *slot
	var owner *scheduler
	consider := func(w *slot, pool *scheduler) {
		if victim == nil || s.budget.goesBeforeLocked(w, victim) {
			victim, owner = w, pool
		}
	}
	for _, pool := range s.budget.schedulers {
		for e := pool.idle.lru.Front(); e != nil; e = e.Next() {
			consider(e.Value.(*slot), pool)
		}
		if pool.late > 0 {
			for w := range pool.workers {
				if w.late {
					consider(w, pool)
				}
			}
		}
	}
	if victim != nil {
		owner.idle.remove(victim)
		owner.retireLocked(victim, ReasonEvicted)
		return true
	}
	for _, pool := range s.budget.schedulers {
		if pool != s && len(pool.prewarmed) > 0 {
			pool.retirePrewarmedLocked(ReasonEvicted)
			return true
		}
	}
	return false
}

// goesBeforeLocked says whether w is to make room before other.
func (b *budget) goesBeforeLocked(w, other *slot) bool {
	if n, m := b.groups[w.group], b.groups[other.group]; n != m {
		return n > m
	}
	if w.late != other.late {
		return other.late
	}
	return w.lastUsed.Before(other.lastUsed)
}

// retirePrewarmedLocked ends the worker that has been ready for the longest time.
func (s *scheduler) retirePrewarmedLocked(reason Reason) {
	w := s.prewarmed[0]
	s.prewarmed = s.prewarmed[1:]
	s.retireLocked(w, reason)
}
