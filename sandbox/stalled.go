package sandbox

import "time"

// A worker is stalled while the caller of its streamed answer takes nothing of it (internal/worker/stall.go). It waits
// in a write and computes nothing:
//
//	serving ─── nothing taken for a second ──► stalled ─── nothing taken for StreamUnread ──► ended
//	   ▲                                          │ ├── a call needs its room, or memory is short ──► evicted
//	   └────────── something was taken ───────────┘ └── its group has more than stalledPart of Size ──► evicted
//
// It takes no part of anybody's share, as work after an answer. It makes room after idle workers and such work of its
// group, and the one first that has been stalled for longest.

// stalledPart is the part of Size, as a divisor, that stalled workers of one group may take.
const stalledPart = 4

// streamStalled notes whether w is stalled.
func (s *scheduler) streamStalled(w *slot, stalled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case stalled && w.serving && !w.retired:
		s.stallLocked(w)
	case !stalled && w.stalled:
		s.endStallLocked(w)
		s.setServingLocked(w, true)
		s.setPendingLocked(w)
	}
}

func (s *scheduler) stallLocked(w *slot) {
	s.setServingLocked(w, false)
	w.stalled, w.lastUsed = true, time.Now()
	s.stalled++
	s.budget.stalled.add(w.group, 1)
	if s.budget.stalled.of[w.group] > max(s.cfg.Size/stalledPart, 1) {
		s.budget.endStalledLocked(w.group)
	}
	s.dispatchLocked()
	s.wakeKeeperIfWaitingLocked()
}

// endStallLocked notes that w is not stalled, if it was.
func (s *scheduler) endStallLocked(w *slot) {
	if w.stalled {
		w.stalled = false
		s.stalled--
		s.budget.stalled.add(w.group, -1)
	}
}

// endStalledLocked ends the worker of group that has been stalled for longest.
func (b *budget) endStalledLocked(group string) {
	var victim *slot
	var owner *scheduler
	for _, s := range b.schedulers {
		for w := range s.workers {
			if w.stalled && w.group == group && (victim == nil || w.lastUsed.Before(victim.lastUsed)) {
				victim, owner = w, s
			}
		}
	}
	if victim != nil {
		owner.retireLocked(victim, ReasonEvicted)
	}
}
