package sandbox

import (
	"time"

	"github.com/backstage/functions/sandbox/internal/worker"
)

// A worker between two calls blocks in a read and uses no processor. One that does is at work that a call has left where the runner
// does not see it.
const (
	idleAllowance = worker.IdleAllowance
	// idleLook is how often the idle workers are looked at.
	idleLook = 500 * time.Millisecond
)

// retireStirring kills the idle workers that have used more of a processor than idle ones do. The clocks are read outside the lock.
func (p *Pool) retireStirring() {
	p.mu.Lock()
	idle := p.idle.all()
	p.mu.Unlock()
	for w, since := range idle {
		if w.idleCPU() <= idleAllowance {
			continue
		}
		p.mu.Lock()
		if p.idle.holds(w) && w.lastUsed.Equal(since) { // no call has come meanwhile
			p.idle.remove(w)
			p.retireLocked(w, ReasonIdleActivity)
		}
		p.mu.Unlock()
	}
}
