package worker

import "time"

// IdleAllowance is the processor time that a process may use between two calls: the way back from its answer's write,
// and what V8 puts in order meanwhile. It blocks in a read then. One that uses more is at work that a call has left
// where the runner does not see it.
const IdleAllowance = 50 * time.Millisecond

// IdleCPU is the processor time that the process has used since its last call ended; 0 during a call.
func (p *Process) IdleCPU() time.Duration { return p.idleCPUAt(p.CPUUsed()) }

// idleCPUAt is IdleCPU when the process's clock says now.
func (p *Process) idleCPUAt(now time.Duration) time.Duration {
	then := time.Duration(p.idleClock.Load())
	if then == 0 || now == 0 {
		return 0
	}
	return now - then
}

// endIdleActivity ends a process that has used a processor while it was idle, before it is sent the call that it was to
// serve next.
func (p *Process) endIdleActivity() *Death {
	p.Kill(IdleActivity)
	death := p.waitExit()
	death.Untouched = true
	return death
}
