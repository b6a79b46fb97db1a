package sandbox

import "time"

func (p *Pool) bindLocked(w *worker, key string) {
	w.key, w.bound = key, time.Now()
	p.bound[key]++
}

// release takes w back after the call inv, which has cost so much.
func (p *Pool) release(w *worker, inv *Invocation, cost callCost, reusable bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paces.add(w.key, cost)
	w.calls++
	w.lastUsed = time.Now()
	if reusable && p.passLocked(w) {
		p.wakeKeeperIfNotHeldLocked(w.key)
		return
	}
	p.scatterLocked(w)
	spent := isSpent(w.calls, p.cfg.MaxInvocations) || isSpent(w.calls, inv.MaxInvocations)
	select {
	case <-w.dead():
		return // its watcher does the rest
	default:
	}
	switch {
	case !reusable || spent || p.closed:
		p.retireLocked(w, ReasonRetired)
	case !p.mayStayLocked(w):
		p.retireLocked(w, ReasonEvicted)
	case p.queue.has(w.key):
		p.handTogetherLocked(w, inv)
		p.wakeKeeperIfNotHeldLocked(w.key)
		return
	default:
		p.setBusyLocked(w, false)
		p.idle.put(w)
	}
	if p.queue.len() > 0 {
		p.wakeKeeper()
	}
}

// wakeKeeperIfNotHeldLocked is for calls of key that were held back until now, perhaps.
func (p *Pool) wakeKeeperIfNotHeldLocked(key string) {
	if p.queue.has(key) && !p.heldLocked(key) {
		p.wakeKeeper()
	}
}

// isSpent says whether a worker has served as many calls as it may; 0 sets no limit.
func isSpent(calls, limit int) bool { return limit > 0 && calls >= limit }

// quantum is how long a function may keep a worker while others wait and no slot is free.
const quantum = 50 * time.Millisecond

// mayStayLocked says whether w may go on serving its own function although others wait. It need not give way while enough slots for
// them are free or about to be.
func (p *Pool) mayStayLocked(w *worker) bool {
	if p.queue.len() == p.queue.keys[w.key] {
		return true
	}
	others := p.wantingLocked()
	if !p.heldLocked(w.key) {
		others -= p.queue.keys[w.key]
	}
	coming := p.freeLocked() + p.starting + p.retiring + p.idle.len()
	return others <= coming || p.queue.next(p.heldLocked).key == w.key || time.Since(w.bound) < quantum
}

// handLocked gives w to waiting and counts the call as in progress.
func (p *Pool) handLocked(w *worker, waiting *waiter, start StartKind) {
	if w.key == "" {
		p.bindLocked(w, waiting.key)
	}
	p.setBusyLocked(w, true)
	p.calls.Add(1)
	waiting.worker, waiting.start, waiting.turn.first = w, start, start != StartWarm
	close(waiting.ready)
}

// freeLocked counts the slots without a process.
func (p *Pool) freeLocked() int { return p.cfg.Size - len(p.workers) - p.starting }

// retireLocked kills w; its slot is free when its watcher has seen the end.
func (p *Pool) retireLocked(w *worker, reason Reason) {
	if !w.retired {
		w.retired = true
		p.retiring++
		p.setBusyLocked(w, false)
		w.kill(reason)
	}
}
