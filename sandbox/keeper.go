package sandbox

import (
	"context"
	"time"
)

// keep holds the pool in balance until ctx ends: starts workers for those who wait and for the prewarmed reserve,
// evicts idle ones when their slots are needed, and retires those that were idle for too long.
func (s *scheduler) keep(ctx context.Context) {
	slots := make(chan error, startsAtOnce()) // results of the starts in progress
	running := 0
	start := func() {
		running++
		s.keeping.Go(func() { slots <- s.startClaimed(ctx) })
	}
	retry := time.Duration(0)
	var blocked <-chan time.Time // set while starts are delayed after a failure
	idle := time.NewTimer(s.cfg.IdleTimeout)
	defer idle.Stop()
	look := time.NewTicker(idleCheck)
	defer look.Stop()
	var memory <-chan time.Time  // set while there are more workers than may compute
	var pending <-chan time.Time // set while calls that are pending are looked at
	var spare <-chan time.Time   // set until the next spare worker may be due
	for {
		if s.checkMemory(memoryCheckSoon) && memory == nil {
			memory = time.After(s.memoryPause())
		}
		for blocked == nil && running < cap(slots) && s.claimStart() {
			start()
		}
		if blocked == nil && spare == nil && running < cap(slots) {
			claimed, in := s.claimSpare()
			if claimed {
				start()
			} else if in > 0 {
				spare = time.After(in)
			}
		}
		if pending == nil && s.wantsCapacity() {
			pending = time.After(waitCheck)
		}
		select {
		case <-ctx.Done():
			return
		case <-pending:
			pending = nil
			s.checkPending()
		case <-memory:
			memory = nil
		case <-spare:
			spare = nil
		case <-s.kick:
		case <-blocked:
			blocked = nil
		case err := <-slots:
			running--
			if err == nil {
				retry = 0
				continue
			}
			retry = min(max(2*retry, firstRetry), lastRetry)
			blocked = time.After(retry)
			s.forgetStart() // not before: its place would be given to another start at once
		case <-idle.C:
			idle.Reset(s.retireIdle())
		case <-look.C:
			s.retireActive()
			s.lookAfterSpare()
		}
	}
}

// claimStart says whether another worker should be started now and counts it as starting. When calls wait and every
// slot is taken it evicts idle workers instead.
func (s *scheduler) claimStart() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endComputingLocked()
	s.dispatchLocked()
	newcomers, _ := s.demandLocked(nil)
	short, free := s.shortageLocked(), s.freeLocked()+s.reserveLocked(newcomers)
	wanted := short + s.budget.retiringLocked()
	if free < 0 && wanted <= 0 && len(s.prewarmed) > 0 {
		s.retirePrewarmedLocked(ReasonEvicted)
	}
	if s.closed || wanted+s.cfg.Prewarmed-len(s.prewarmed) <= 0 {
		return false
	}
	if free > 0 && (wanted > 0 || !s.othersShortLocked()) {
		s.starting++
		return true
	}
	for n := short - max(free, 0); n > 0 && s.evictLocked(); n-- {
	}
	if short <= 0 && free <= 0 && s.starting+s.budget.retiringLocked() == 0 {
		s.budget.evictSpareLocked(s) // for one that is to be ready here
	}
	return false
}

// retireIdle retires the workers that were idle for too long, and the prewarmed ones beyond the spare ones, which were
// started for calls that did not wait for them to the end. It returns the time until it is to be asked again.
func (s *scheduler) retireIdle() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.spareLocked() > s.spareShareLocked() {
		s.retirePrewarmedLocked(ReasonIdle)
	}
	for {
		w := s.idle.oldest()
		if w == nil {
			return s.cfg.IdleTimeout
		}
		if left := s.cfg.IdleTimeout - time.Since(w.lastUsed); left > 0 {
			return left
		}
		s.idle.remove(w)
		s.retireLocked(w, ReasonIdle)
	}
}
