package sandbox

import (
	"errors"
	"time"
)

// refusedFor is how long that counts which a refusal says.
const refusedFor = time.Minute

// refusal says that workers beside those of a part could not be put back, although the kernel has what it takes.
type refusal struct {
	reason string
	until  time.Time // when it is tried again
}

// rollbackSupport says whether workers beside those of this part can be put back to a snapshot after each call.
func (p *runtimePool) rollbackSupport() RollbackSupport {
	if r := p.refused.Load(); r != nil && time.Now().Before(r.until) {
		return RollbackSupport{Reason: r.reason}
	}
	if starter, ok := p.starter.(rollbackTeller); ok {
		return starter.rollback()
	}
	return RollbackSupport{}
}

// refuseRollback notes that no snapshot could be taken. What the host does not allow takes each call as long to find
// out, so it is not tried for a while.
func (p *runtimePool) refuseRollback(reason string) {
	p.refused.Store(&refusal{reason, time.Now().Add(refusedFor)})
}

// fresh is inv for a worker of its own, which serves no other call: what Rollback comes to where it cannot be had.
func (inv *Invocation) fresh() *Invocation {
	alone := *inv
	alone.Rollback, alone.MaxInvocations = false, 1
	return &alone
}

// reused is inv as it can be had: in a worker that is put back, or in one of its own.
func (p *Pool) reused(part *runtimePool, inv *Invocation) *Invocation {
	if !inv.Rollback {
		return inv
	}
	if !part.rollbackSupport().Available {
		p.cfg.fallbacks.observer.RollbackReplaced(ReplacedUnsupported)
		return inv.fresh()
	}
	return p.cfg.fallbacks.reused(inv)
}

// learnFrom is inv as it is to be made when err means that no snapshot could be taken of its worker: nothing of the
// call has happened then. It is nil for other errors.
func (p *Pool) learnFrom(part *runtimePool, inv *Invocation, err error) *Invocation {
	death, ok := errors.AsType[*DeathError](err)
	switch {
	case !ok || !inv.Rollback:
		return nil
	case death.noSnapshot:
		part.refuseRollback(death.Detail)
		p.cfg.fallbacks.observer.RollbackReplaced(ReplacedUnsupported)
		return inv.fresh()
	case death.unprepared && death.warmup:
		p.cfg.fallbacks.dropWarmup(inv, death.Detail)
		inv.warn("The warmup is left out: no snapshot can be taken " + death.Detail)
		return inv.cold()
	case death.unprepared:
		p.cfg.fallbacks.refuse(inv, death.Detail)
		inv.warn("Each call gets a process of its own: no snapshot can be taken " + death.Detail)
		p.cfg.fallbacks.observer.RollbackReplaced(ReplacedUnprepared)
		return inv.fresh()
	}
	return nil
}

// cold is inv without its warmup.
func (inv *Invocation) cold() *Invocation {
	cold := *inv
	cold.Warmup = nil
	return &cold
}

// warn tells the function's author.
func (inv *Invocation) warn(text string) {
	if inv.OnLog != nil {
		inv.OnLog(LogLine{Level: "error", Text: text})
	}
}
