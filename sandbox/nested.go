package sandbox

// A function that calls another one through the server holds a worker while it waits for one. Were such calls let wait,
// all workers could be held by calls that wait for each other, until their deadlines:
//
//	outer 1 ── holds worker 1 ──► nested 1 ┐
//	outer 2 ── holds worker 2 ──► nested 2 ├─ wait for a worker
//	outer 3 ── holds worker 3 ──► nested 3 ┘
//
// So a nested call gets a worker that can be had without the end of any call, or is refused at once.

// MaxDepth is how deep calls may be nested.
const MaxDepth = 8

// mayNestLocked says whether a nested call of group may wait for a worker.
func (s *scheduler) mayNestLocked(group string) bool {
	newcomers, others := s.demandLocked(nil)
	soon := s.budget.putBackLocked()
	room := s.capacityLocked() + soon - newcomers
	if s.budget.shares.serving.of[group] > 0 && room <= others {
		return false
	}
	supply := s.freeLocked() + s.endableLocked()
	for _, other := range s.budget.schedulers {
		if other != s { // what its own calls leave
			newcomers, others := other.demandLocked(nil)
			supply += max(other.endableLocked()-newcomers-others, 0)
		}
	}
	return min(supply, s.newcomerCapacityLocked()+soon) > newcomers+min(others, max(room, 0))
}

// endableLocked is how many workers of s serve nobody, or will not in a moment, and may be ended for other calls.
func (s *scheduler) endableLocked() int {
	return s.starting + s.retiring + s.idle.len() + s.putBack + s.late + len(s.prewarmed)
}

// putBackLocked is how many workers count as serving although their callers are answered.
func (b *budget) putBackLocked() int {
	n := 0
	for _, s := range b.schedulers {
		n += s.putBack
	}
	return n
}
