package sandbox

import "time"

// How many workers there may be beyond Active depends on the memory that is left, to the workers and to the machine:
//
//	all of Config.Memory ┌─────────────────┐
//	                     │ there may be    │ more workers, up to Size
//	     a quarter left  ├─────────────────┤
//	                     │ scarce:         │ as many as there were when it became so, and Reserve for groups without; the
//	                     │                 │ spare ones end
//	     an eighth left  ├─────────────────┤
//	                     │ short:          │ workers end that are idle, at work after an answer or stalled
//	   a sixteenth left  ├─────────────────┤
//	                     │ nearly gone:    │ calls end of the group that uses the most, if there are several (largest.go)
//	        nothing left └─────────────────┘ the kernel ends the largest worker

const (
	memoryCheck     = 100 * time.Millisecond // how often the memory is looked at while there are more workers than Active
	memoryCheckSoon = 10 * time.Millisecond  // and while they become more, or memory is scarce
	scarcePart      = 4
	shortPart       = 8
	evictPart       = 8 // of the workers that serve nobody end at each look while memory is short
)

// checkMemory looks at the memory that is left, if the last look is so long ago, and ends workers that serve nobody
// where it is short. It says whether it matters.
func (s *scheduler) checkMemory(ago time.Duration) (matters bool) {
	_, ok := s.starter.(memoryTeller)
	s.mu.Lock()
	matters = ok && s.cfg.Memory > 0 && s.beyondActiveLocked()
	due := matters && time.Since(s.budget.memory.looked) >= ago
	if due {
		s.budget.memory.looked = time.Now()
	}
	s.mu.Unlock()
	if !due {
		return matters
	}
	left, known := s.memoryLeft()
	if !known {
		left = s.cfg.Memory
	}
	s.mu.Lock()
	s.noteMemoryLocked(left)
	s.mu.Unlock()
	s.endLargest(left)
	return true
}

// memoryLeft is how much of Config.Memory is left; not known where there is no such bound.
func (s *scheduler) memoryLeft() (left int64, known bool) {
	teller, ok := s.starter.(memoryTeller)
	if !ok || s.cfg.Memory == 0 {
		return 0, false
	}
	return teller.memoryLeft()
}

// noteMemoryLocked notes that so much is left.
func (s *scheduler) noteMemoryLocked(left int64) {
	r := &s.budget.memory
	scarce := left < s.cfg.Memory/scarcePart
	if scarce && !r.scarce {
		r.ceiling = max(s.livingLocked(), s.cfg.Active)
	}
	r.scarce, r.short = scarce, left < s.cfg.Memory/shortPart
	if scarce {
		s.budget.endSpareLocked()
	}
	if !r.short {
		return
	}
	n := s.budget.unoccupiedLocked()/evictPart + 1
	for ; n > 0 && s.budget.unoccupiedLocked() > 0 && s.beyondActiveLocked() && s.evictLocked(); n-- {
		r.ceiling = max(r.ceiling-1, s.cfg.Active)
	}
}

// memoryPause is how long it is until the next look at the memory.
func (s *scheduler) memoryPause() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.budget.memory.scarce {
		return memoryCheckSoon
	}
	return memoryCheck
}
