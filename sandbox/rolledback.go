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

// withoutSnapshot says why no snapshot could be taken of the worker of a call, if that is what err says. Nothing of the
// call has happened.
func withoutSnapshot(err error) (reason string, is bool) {
	death, ok := errors.AsType[*DeathError](err)
	if !ok || !death.noSnapshot {
		return "", false
	}
	return death.Detail, true
}
