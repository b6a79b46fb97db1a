package sandbox

// retiringLocked is how many workers give up their slots.
func (b *budget) retiringLocked() int {
	n := 0
	for _, s := range b.schedulers {
		n += s.retiring
	}
	return n
}

// startingLocked is how many workers start.
func (b *budget) startingLocked() int {
	n := 0
	for _, s := range b.schedulers {
		n += s.starting
	}
	return n
}

// waitingLocked is how many calls wait.
func (b *budget) waitingLocked() int {
	n := 0
	for _, s := range b.schedulers {
		n += s.queue.len()
	}
	return n
}

// freeLocked counts the slots without a process, as far as there is memory for them. At the start of several runtimes
// it may be below 0, and where memory has become scarce.
func (s *scheduler) freeLocked() int { return s.freeOfLocked(s.limitLocked()) }

// freeOfLocked counts those of so many slots.
func (s *scheduler) freeOfLocked(free int) int {
	for _, other := range s.budget.schedulers {
		free -= len(other.workers) + other.starting
	}
	return free
}

// limitLocked is the most workers that there may be now.
func (s *scheduler) limitLocked() int {
	if r := &s.budget.memory; r.scarce {
		return min(r.ceiling, s.cfg.Size)
	}
	return s.cfg.Size
}

// reserveLocked is how many workers more there may be for groups that hold none where memory is scarce.
func (s *scheduler) reserveLocked(newcomers int) int {
	if newcomers == 0 || !s.budget.memory.scarce {
		return 0
	}
	return max(min(s.cfg.Reserve, s.freeOfLocked(s.cfg.Size)), 0)
}

// capacityLocked is how many workers more may serve groups that hold some.
func (s *scheduler) capacityLocked() int {
	active := s.cfg.Active - s.cfg.Reserve - s.budget.shares.active.total
	reserve := s.cfg.Reserve * s.cfg.Size / s.cfg.Active
	return min(active, s.cfg.Size-reserve-s.budget.shares.serving.total)
}

// newcomerCapacityLocked is how many workers more may serve groups that hold none.
func (s *scheduler) newcomerCapacityLocked() int {
	return min(s.cfg.Active-s.budget.shares.active.total, s.cfg.Size-s.budget.shares.serving.total)
}

// hasCapacityLocked says whether group could have another worker if it were the only one that waits.
func (s *scheduler) hasCapacityLocked(group string) bool {
	if s.budget.shares.serving.of[group] == 0 {
		return s.newcomerCapacityLocked() > 0
	}
	return s.capacityLocked() > 0
}

// livingLocked counts the workers that there are, and those that start, without the spare ones.
func (s *scheduler) livingLocked() int {
	return s.cfg.Size - s.freeOfLocked(s.cfg.Size) - s.budget.spareReadyLocked()
}

// beyondActiveLocked says whether there are workers beyond Active, or will be with the next one; spare ones do not
// count.
func (s *scheduler) beyondActiveLocked() bool { return s.grows() && s.livingLocked() >= s.cfg.Active }

// unoccupiedLocked is how many workers may be ended for others: they are idle, at work after an answer, or stalled.
func (b *budget) unoccupiedLocked() int {
	n := b.late + b.stalled.total
	for _, s := range b.schedulers {
		n += s.idle.len()
	}
	return n
}
