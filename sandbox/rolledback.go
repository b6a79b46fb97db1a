package sandbox

// canRollBack says whether workers beside those of this part can be put back to a snapshot after each call.
func (p *runtimePool) canRollBack() bool {
	starter, ok := p.starter.(rollbackTeller)
	return ok && starter.rollback().Available
}

// fresh is inv for a worker of its own, which serves no other call: what Rollback comes to where it cannot be had.
func (inv *Invocation) fresh() *Invocation {
	alone := *inv
	alone.Rollback, alone.MaxInvocations = false, 1
	return &alone
}

// isWithoutSnapshot says whether err is that of a worker of which no snapshot could be taken. Nothing of the call has
// happened.
func isWithoutSnapshot(err error) bool {
	death, ok := err.(*DeathError) //nolint:errorlint // as made by invoke, never wrapped
	return ok && death.noSnapshot
}
