package sandbox

// PoolStats is the state of a pool at one moment.
type PoolStats struct {
	// Size is the limit on workers, Active that on those of them that compute. Starting, Prewarmed, Idle, Busy and Late
	// add up to those that exist or are about to. Waiting are those of Busy whose call is known to wait for something,
	// where Active is less than Size.
	Size      int `json:"size"`
	Active    int `json:"active"`
	Starting  int `json:"starting"`
	Prewarmed int `json:"prewarmed"`
	Idle      int `json:"idle"`
	Busy      int `json:"busy"`
	Waiting   int `json:"waiting"`
	// Unread are those of Busy whose caller has taken nothing of their streamed answer for a while.
	Unread int `json:"unread"`
	// Late are those that have answered and are at work that the call has left: see Invocation.CutAfterAnswer.
	Late int `json:"late"`
	// Queued counts the calls that wait, at most QueueSize of all runtimes together.
	Queued    int `json:"queued"`
	QueueSize int `json:"queueSize"`
	// Unattended are those of Busy whose call is one that nobody waits for: see Invocation.Queued.
	Unattended int `json:"-"`
	// Groups are those that hold workers of any runtime now, MostHeld and MostQueued the most workers and the most waiting
	// calls of one group.
	Groups     int `json:"-"`
	MostHeld   int `json:"-"`
	MostQueued int `json:"-"`
}

// snapshot is the state of the pool, and whether calls can get workers.
func (s *scheduler) snapshot() (PoolStats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := PoolStats{
		Size: s.cfg.Size, Active: s.cfg.Active, QueueSize: s.cfg.QueueSize,
		Starting: s.starting, Prewarmed: len(s.prewarmed), Idle: s.idle.len(), Busy: s.servingLocked(), Late: s.late,
		Queued: s.queue.len(),
		Groups: len(s.budget.shares.serving.of),
	}
	for w := range s.workers {
		if w.waiting {
			now.Waiting++
		}
		if w.queued {
			now.Unattended++
		}
		if w.stalled {
			now.Unread++
		}
	}
	for _, n := range s.budget.shares.serving.of {
		now.MostHeld = max(now.MostHeld, n)
	}
	for _, other := range s.budget.schedulers {
		for group := range other.queue.groups.members {
			now.MostQueued = max(now.MostQueued, s.budget.queuedLocked(group))
		}
	}
	return now, s.readyLocked()
}

// servingLocked is how many workers of the pool serve a call.
func (s *scheduler) servingLocked() int {
	return len(s.workers) - s.retiring - len(s.prewarmed) - s.idle.len() - s.late
}
