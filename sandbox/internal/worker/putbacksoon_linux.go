package worker

// Try is Wait where that takes but a moment; over says whether it was. Else Wait is still to be called.
func (r *Rollback) Try() (reusable, over bool) {
	if !r.exchange.process.tracked.putBackSoon() {
		return false, false
	}
	return r.Wait(), true
}

// putBackSoon says whether the process is parked, or will be in a moment, and can be put back then without waiting for
// it.
func (t *tracked) putBackSoon() bool {
	t.closing.Lock()
	defer t.closing.Unlock()
	return !t.closed && t.audit != 1 && t.worker.Parks() && t.worker.Soon()
}
