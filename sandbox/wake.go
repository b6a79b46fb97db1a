package sandbox

func (s *scheduler) wakeKeeper() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

func (s *scheduler) wakeKeeperIfWaitingLocked() {
	if s.queue.len() > 0 {
		s.wakeKeeper()
	}
}

// wakeKeeperIfUnsaturatedLocked is for calls of key that were delayed until now, perhaps.
func (s *scheduler) wakeKeeperIfUnsaturatedLocked(key string) {
	if s.queue.has(key) && !s.saturatedLocked(key) {
		s.wakeKeeper()
	}
}

// wakeOthersLocked wakes the keepers of the other pools in which calls wait: there is more for them.
func (s *scheduler) wakeOthersLocked() {
	for _, other := range s.budget.schedulers {
		if other != s && other.queue.len() > 0 {
			other.wakeKeeper()
		}
	}
}

// noteServingLocked wakes the weigher when there are workers to share processors between.
func (b *budget) noteServingLocked() {
	if b.shares.serving.total+b.late > 1 {
		b.wakeWeigher()
	}
}

func (b *budget) wakeWeigher() {
	select {
	case b.serves <- struct{}{}:
	default:
	}
}
