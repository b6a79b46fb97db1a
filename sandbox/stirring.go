package sandbox

import "time"

// A worker between two calls blocks in a read and uses no processor. One that does is at work that a call has left where the runner
// does not see it.
const (
	// idleAllowance is the processor time that a worker may use between two calls: the way back from its answer's write, and what V8 puts in
	// order meanwhile.
	idleAllowance = 50 * time.Millisecond
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

// idleCPU implements child.
func (p *process) idleCPU() time.Duration { return p.idleCPUAt(cpuTime(p.handle.pid())) }

// idleCPUAt is idleCPU when the process's clock says now.
func (p *process) idleCPUAt(now time.Duration) time.Duration {
	rest := time.Duration(p.rest.Load())
	if rest == 0 || now == 0 {
		return 0
	}
	return now - rest
}

// stirred ends a process that has used a processor while it was idle, before it is sent the call that it was to serve next.
func (p *process) stirred() error {
	p.kill(ReasonIdleActivity)
	death := p.obituary()
	death.untouched = true
	return death
}
