package sandbox

// evictLocked ends a worker to make room, if there is one that serves nobody: a spare one of another pool; else of
// those that are idle, at work after an answer or stalled one of the group that has the most workers, in that order,
// and there the one that was not used, or has been stalled, for the longest time; if none is, one that another pool
// keeps ready.
func (s *scheduler) evictLocked() bool {
	if s.budget.evictSpareLocked(s) {
		return true
	}
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
		if pool.late+pool.stalled > 0 {
			for w := range pool.workers {
				if w.late || w.stalled {
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
	if n, m := w.worth(), other.worth(); n != m {
		return n < m
	}
	return w.lastUsed.Before(other.lastUsed)
}

// worth is what is lost with w, of which the least goes first: nothing, work whose caller is answered, or an answer.
func (w *slot) worth() int {
	switch {
	case w.stalled:
		return 2
	case w.late:
		return 1
	}
	return 0
}

// retirePrewarmedLocked ends the worker that has been ready for the longest time.
func (s *scheduler) retirePrewarmedLocked(reason Reason) {
	w := s.prewarmed[0]
	s.prewarmed = s.prewarmed[1:]
	s.retireLocked(w, reason)
}
