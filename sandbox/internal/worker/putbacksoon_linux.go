package worker

// Try is Wait where that takes but a moment; over says whether it was. Else Wait is still to be called.
func (r *Rollback) Try() (reusable, over bool) {
	if !r.exchange.process.tracked.putBackSoon(r.exchange.process.cfg.RollbackAudit) {
		return false, false
	}
	return r.Wait(), true
}

// putBackSoon says whether the process is parked, or will be in a moment, and can be put back then without waiting for
// it.
func (t *tracked) putBackSoon(audit int) bool {
	t.closing.Lock()
	defer t.closing.Unlock()
	due := audit > 0 && t.since+1 >= audit
	return !t.closed && !due && t.worker.Parks() && t.worker.Soon()
}
