package sandbox

import "time"

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
	if !s.queue.has(key) {
		return
	}
	if !s.saturatedLocked(key) {
		s.wakeKeeper()
	}
	// Even so, for other calls may take the room before the keeper does.
	if n := s.busy[key].workers; n > 0 && n < s.saturation && s.serviceTimes.short(key) {
		s.wakeKeeperLaterLocked()
	}
}

// wakeKeeperLaterLocked wakes the keeper in a moment: a call waits for a worker that its function has, and may come to
// be owed another.
func (s *scheduler) wakeKeeperLaterLocked() {
	if s.wakesLater || s.closed {
		return
	}
	s.wakesLater = true
	time.AfterFunc(worthStart, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.wakesLater = false
		if s.queue.len() > 0 {
			s.wakeKeeperLaterLocked()
			s.wakeKeeper()
		}
	})
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
