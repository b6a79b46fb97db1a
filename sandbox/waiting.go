package sandbox

import "time"

// A call that waits for a timer or an answer from outside holds its worker's memory and nothing else. Where
// Config.Active is less than Size, such calls do not count as active, so that others can have workers beside them, as
// many as Size and the memory allow (memorylimit.go):
//
//	call begins   main has returned  asleep, its clock stands still
//	───────► active ──────► pending ──────► waiting
//	           ▲     its clock runs           │
//	           └──────────────────────────────┘
//
// A call of a function whose calls are known to use little of a processor while they wait is taken to wait as soon as
// it is pending. Of others the clock is looked at twice, while calls want room, be it here or with a caller that keeps
// them back (SeekWaiting).

const (
	// waitCheck is the time between two looks at calls that are pending.
	waitCheck = 3 * time.Millisecond
	// computesFor is how long a call that was seen to compute is taken to do so.
	computesFor = 20 * time.Millisecond
	// soughtFor is how long SeekWaiting has an effect: enough for two looks at each call.
	soughtFor = 4 * waitCheck
)

// SeekWaiting is for a caller that keeps calls back until processors are free, as Snapshot tells: which of the calls in
// progress only wait for something is known a moment later. It returns at once, and may be called often.
func (p *Pool) SeekWaiting() {
	if first, err := p.current.Load().part(""); err == nil {
		first.scheduler.seekWaiting()
	}
}

func (s *scheduler) seekWaiting() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budget.shares.soughtUntil = time.Now().Add(soughtFor)
	s.wakeKeeper()
}

// wantsCapacityLocked says whether calls want room, in any pool or beside it, which calls that only wait could make.
func (s *scheduler) wantsCapacityLocked() bool {
	if !s.grows() {
		return false
	}
	return time.Now().Before(s.budget.shares.soughtUntil) || s.capacityLocked() <= 0 && s.budget.waitingLocked() > 0
}

func (s *scheduler) wantsCapacity() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wantsCapacityLocked()
}

// pendingLocked are the workers of all pools whose calls are pending, and not known to wait or to compute.
func (b *budget) pendingLocked(now time.Time) []*slot {
	var unsure []*slot
	for _, s := range b.schedulers {
		for w := range s.workers {
			if w.pending && !w.waiting && !now.Before(w.lookAt) {
				unsure = append(unsure, w)
			}
		}
	}
	return unsure
}

// noteComputing counts calls as active again which were taken to wait and have used a processor for more than a part of
// the time since the last look; for any of it, where those which are taken to wait use most of what there is. Work
// after an answer counts as active likewise, until it uses no processor for a while.
func (b *budget) noteComputing(scales map[*slot]*scale, since time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all time.Duration
	for w, used := range scales {
		if w.waiting || w.late {
			all += used.last
		}
	}
	allowed := since / waitShare
	for _, s := range b.schedulers {
		if all > since*time.Duration(s.processors)/2 {
			allowed = 0
		}
	}
	now := time.Now()
	for _, s := range b.schedulers {
		for w := range s.workers {
			used := scales[w]
			switch {
			case used == nil:
			case w.waiting && used.last > allowed:
				s.setWaitingLocked(w, false)
				w.lookAt = now.Add(burnMemory)
			case w.late && s.grows():
				s.setComputesLocked(w, used.last > allowed || w.computes && used.burns)
			}
		}
	}
}

// checkPending finds out which calls wait while others want their room.
func (s *scheduler) checkPending() {
	s.mu.Lock()
	var unsure []*slot
	if s.wantsCapacityLocked() {
		unsure = s.budget.pendingLocked(time.Now())
	}
	s.mu.Unlock()
	type look struct {
		used   time.Duration
		asleep bool
	}
	looks := make([]look, len(unsure))
	for i, w := range unsure { // a system call each
		if child, ok := w.child.(sleeper); ok {
			looks[i] = look{child.cpuUsed(), child.asleep()}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := false
	for i, w := range unsure {
		if !w.pending || w.waiting || looks[i].used == 0 {
			continue
		}
		rested := looks[i].used-w.seen < waitCheck/waitShare
		switch {
		case !looks[i].asleep || w.seen > 0 && !rested:
			w.lookAt = time.Now().Add(computesFor)
		case w.seen > 0:
			s.setWaitingLocked(w, true)
			found = true
		}
		w.seen = looks[i].used
	}
	if found {
		s.dispatchLocked()
		s.wakeKeeper()
	}
}
