package sandbox

import "errors"

// rollbackSupport says whether workers beside those of this part can be put back to a snapshot after each call.
func (p *runtimePool) rollbackSupport() RollbackSupport {
	if starter, ok := p.starter.(rollbackTeller); ok {
		return starter.rollback()
	}
	return RollbackSupport{}
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

// unbegunError says that there are no workers to put back: their fork server or the first of them has not started yet,
// or has failed to.
type unbegunError struct{ failed bool }

func (e *unbegunError) Error() string { return "sandbox: there are no workers to put back" }

// learnFrom is inv as it is to be made when err means that no snapshot could be taken of its worker: nothing of the
// call has happened then. It is nil for other errors. What is learnt counts for inv's function alone, even where the
// kernel refused: it does so where the function's memory is too small, too.
func (p *Pool) learnFrom(inv *Invocation, err error) *Invocation {
	if unbegun, ok := errors.AsType[*unbegunError](err); ok { // which is tried again before long
		why := ReplacedStarting
		if unbegun.failed {
			why = ReplacedUnsupported
		}
		p.cfg.fallbacks.observer.RollbackReplaced(why)
		return inv.fresh()
	}
	death, ok := errors.AsType[*DeathError](err)
	switch {
	case !ok || !inv.Rollback:
		return nil
	case death.noSnapshot:
		p.cfg.fallbacks.refuse(inv, ReplacedUnsupported, death.Detail)
		p.cfg.fallbacks.observer.RollbackReplaced(ReplacedUnsupported)
		return inv.fresh()
	case death.unprepared && death.warmup:
		p.cfg.fallbacks.dropWarmup(inv, death.Detail)
		inv.warn("The warmup is left out: no snapshot can be taken " + death.Detail)
		return inv.cold()
	case death.unprepared:
		p.cfg.fallbacks.refuse(inv, ReplacedUnprepared, death.Detail)
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
