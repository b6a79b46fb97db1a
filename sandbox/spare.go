package sandbox

import "time"

// A burst of first calls takes more workers than are kept ready, and each start costs milliseconds of a processor. So
// Config.Spare further workers are started while nobody needs the processors, and are the first to go when somebody
// needs their room:
//
//	fewer than Prewarmed ─▶ started at once, several at a time
//	fewer than its share ─▶ started one at a time, of all pools: no call waits, fewer calls compute than there are
//	of Spare beside them    processors, there is memory, some slots stay free, and starts have taken less than a tenth of
//	                        the time since the last
//	more                 ─▶ ended when there are more than Spare of all pools, or after IdleTimeout
//
// The pools whose workers got functions within IdleTimeout have a share each; if there is none, the last one has all.
// Memory is looked at before each start, and now and then while there are spare workers. They are started while much
// more is left than what ends them, so that they cannot be the reason themselves.
const (
	// spareRest is how often the time that a start took passes before the next start of a spare worker: a machine that
	// others keep busy makes starts longer, and so the pauses, up to mostSpareRest.
	spareRest     = 9
	mostSpareRest = time.Second
	// spareMemory is the part, in eighths, of Config.Memory that must be left to start one; memorylimit.go ends them when
	// two eighths are.
	spareMemory = 3
	// spareMemoryPause is how long none is started after too little was left.
	spareMemoryPause = time.Minute
	// spareMemoryCheck is how often the memory is looked at while there are some.
	spareMemoryCheck = 2 * time.Second
)

// spareState is what all pools of a budget know of spare workers.
type spareState struct {
	took   time.Duration // the last start of a worker that went well
	ended  time.Time     // that was then
	scarce time.Time     // too little memory was left then
	looked time.Time     // at the memory, for what is ready
}

// claimSpare says whether a spare worker should be started now and counts it as starting. If one may have to be in a
// while, it returns that time.
func (s *scheduler) claimSpare() (claimed bool, in time.Duration) {
	s.mu.Lock()
	wants, in := s.wantsSpareLocked(), s.budget.spareRestLocked()
	s.mu.Unlock()
	switch {
	case !wants:
		return false, 0
	case in > 0:
		return false, in
	}
	left, known := s.memoryLeft()
	s.mu.Lock()
	defer s.mu.Unlock()
	if known && left < s.cfg.Memory/8*spareMemory {
		s.budget.spare.scarce = time.Now()
	}
	if !s.wantsSpareLocked() || s.budget.spareRestLocked() > 0 {
		return false, 0
	}
	if s.budget.spareReadyLocked() >= s.cfg.Spare {
		over := s.budget.overShareLocked()
		if over == nil {
			return false, 0
		}
		over.retirePrewarmedLocked(ReasonIdle)
	}
	s.starting++
	return true, 0
}

// spareRestLocked is how long no spare worker is to be started.
func (b *budget) spareRestLocked() time.Duration {
	return min(spareRest*b.spare.took, mostSpareRest) - time.Since(b.spare.ended)
}

// wantsSpareLocked says whether there should be another spare worker, and nobody is delayed by its start.
func (s *scheduler) wantsSpareLocked() bool {
	return s.lacksSpareLocked() && s.budget.shares.active.total < s.processors
}

// lacksSpareLocked is wantsSpareLocked wherever processors are free.
func (s *scheduler) lacksSpareLocked() bool {
	b := s.budget
	switch {
	case s.closed || s.cfg.Spare == 0 || s.spareLocked() >= s.spareShareLocked():
		return false
	case s.failing.count > 0 || !s.warmLocked() || b.startingLocked() > 0 || b.waitingLocked() > 0:
		return false
	case !b.spare.scarce.IsZero() && time.Since(b.spare.scarce) < spareMemoryPause:
		return false
	}
	return s.freeLocked() > startsAtOnce()
}

// spareLocked is how many spare workers of s are ready; below 0 where fewer than Prewarmed workers are.
func (s *scheduler) spareLocked() int { return len(s.prewarmed) - s.cfg.Prewarmed }

// spareReadyLocked is how many are ready in all pools.
func (b *budget) spareReadyLocked() int {
	n := 0
	for _, s := range b.schedulers {
		n += max(s.spareLocked(), 0)
	}
	return n
}

// overShareLocked is a pool that has more than its share; nil if there is none.
func (b *budget) overShareLocked() *scheduler {
	for _, s := range b.schedulers {
		if n := s.spareLocked(); n > 0 && n > s.spareShareLocked() {
			return s
		}
	}
	return nil
}

// spareShareLocked is how many spare workers s should have.
func (s *scheduler) spareShareLocked() int {
	lately := func(pool *scheduler) bool {
		return !pool.lastBound.IsZero() && time.Since(pool.lastBound) < pool.cfg.IdleTimeout
	}
	sharers := 0
	last := s
	for _, pool := range s.budget.schedulers {
		since := pool.lastBound.Compare(last.lastBound)
		switch {
		case pool.cfg.Spare == 0 || pool.closed:
		case lately(pool):
			sharers++
		case since > 0 || since == 0 && last.cfg.later && !pool.cfg.later:
			last = pool
		}
	}
	switch {
	case sharers == 0 && last == s:
		return s.cfg.Spare
	case sharers > 0 && lately(s):
		return s.cfg.Spare / sharers
	default:
		return 0
	}
}

// lookAfterSpare is done now and then: spare workers end where memory is scarce, and those beyond the share of s where
// there are more than Spare of all pools, for a call that has come while one was starting has left the worker that was
// started for it. If it is processors that others lack, calls are looked at that may only wait.
func (s *scheduler) lookAfterSpare() {
	s.mu.Lock()
	b := s.budget
	matters := s.cfg.Spare > 0 && (b.spareReadyLocked() > 0 || b.memory.scarce)
	due := matters && time.Since(b.spare.looked) >= spareMemoryCheck
	if due {
		b.spare.looked = time.Now()
	}
	s.mu.Unlock()
	left, known := int64(0), false
	if due {
		left, known = s.memoryLeft()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch scarce := left < s.cfg.Memory/scarcePart; {
	case !known:
	case scarce:
		b.endSpareLocked()
	case !s.beyondActiveLocked(): // nobody else looks
		b.memory.scarce, b.memory.short = false, false
	}
	for s.cfg.Spare > 0 && s.spareLocked() > s.spareShareLocked() && b.spareReadyLocked() > s.cfg.Spare {
		s.retirePrewarmedLocked(ReasonIdle)
	}
	if s.lacksSpareLocked() && !s.wantsSpareLocked() {
		b.shares.soughtUntil = time.Now().Add(soughtFor)
	}
}

// endSpareLocked ends the spare workers of all pools, because memory is scarce.
func (b *budget) endSpareLocked() {
	b.spare.scarce = time.Now()
	for _, s := range b.schedulers {
		for s.spareLocked() > 0 {
			s.retirePrewarmedLocked(ReasonEvicted)
		}
	}
}

// evictSpareLocked ends a spare worker of another pool than s, if there is one, to make room.
func (b *budget) evictSpareLocked(s *scheduler) bool {
	for _, pool := range b.schedulers {
		if pool != s && pool.spareLocked() > 0 {
			pool.retirePrewarmedLocked(ReasonEvicted)
			return true
		}
	}
	return false
}

// roomLocked counts the slots that are free or have a spare worker.
func (s *scheduler) roomLocked() int { return s.freeLocked() + s.budget.spareReadyLocked() }
