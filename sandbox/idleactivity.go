package sandbox

import (
	"time"

	"github.com/backstage/functions/sandbox/internal/worker"
)

// A worker between two calls blocks in a read and uses no processor. One that does is at work that a call has left
// where the runner does not see it.
const (
	idleAllowance = worker.IdleAllowance
	// idleCheck is how often the idle workers are looked at.
	idleCheck = 500 * time.Millisecond
)

// retireStirring kills the idle workers that have used more of a processor than idle ones do. The clocks are read
// outside the lock.
func (s *scheduler) retireActive() {
	s.mu.Lock()
	idle := s.idle.all()
	s.mu.Unlock()
	for w, since := range idle {
		if w.idleCPU() <= idleAllowance {
			continue
		}
		s.mu.Lock()
		if s.idle.holds(w) && w.lastUsed.Equal(since) { // no call has come meanwhile
			s.idle.remove(w)
			s.retireLocked(w, ReasonIdleActivity)
		}
		s.mu.Unlock()
	}
}
