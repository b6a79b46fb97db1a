package sandbox

import "time"

func (p *Pool) bindLocked(w *slot, group, key string) {
	w.group, w.key, w.bound = group, key, time.Now()
	p.bound[key]++
	p.house.groups[group]++
}

// unbindLocked forgets the worker w, which is dead.
func (p *Pool) unbindLocked(w *slot) {
	for _, count := range []struct {
		of   map[string]int
		name string
	}{{p.bound, w.key}, {p.house.groups, w.group}} {
		if count.of[count.name]--; count.of[count.name] == 0 {
			delete(count.of, count.name)
		}
	}
}

// release takes w back after the call inv, which has cost so much.
func (p *Pool) release(w *slot, inv *Invocation, cost callCost, reusable bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paces.add(w.key, cost)
	w.calls++
	w.lastUsed = time.Now()
	reusable = reusable && !w.ended // which may come between the answer and here
	if reusable && p.passLocked(w) {
		p.wakeKeeperIfNotHeldLocked(w.key)
		return
	}
	p.giveBackLocked(w, inv, reusable)
}

// giveBackLocked has w, which has served inv, serve the next call, rest or end.
func (p *Pool) giveBackLocked(w *slot, inv *Invocation, reusable bool) {
	p.scatterLocked(w)
	p.setServingLocked(w, false)
	spent := isSpent(w.calls, p.cfg.MaxInvocations) || isSpent(w.calls, inv.MaxInvocations)
	select {
	case <-w.dead():
		return // its watcher does the rest
	default:
	}
	switch {
	case !reusable || spent || p.closed:
		p.retireLocked(w, ReasonRetired)
		p.wakeKeeperIfWaitingLocked()
	case p.queue.len() == 0:
		p.restLocked(w)
	default:
		p.passOnLocked(w, inv)
	}
}

// passOnLocked has w, which has just served last, serve the next call of its function, or rest, or end where others need its room.
func (p *Pool) passOnLocked(w *slot, last *Invocation) {
	if p.mayStayLocked(w) {
		if p.queue.has(w.key) && p.mayTakeLocked(w.group) {
			p.handTogetherLocked(w, last)
			p.wakeKeeperIfNotHeldLocked(w.key)
			return
		}
		p.restLocked(w)
	} else {
		p.giveWayLocked(w, p.nextLocked(p.notHeldLocked))
	}
	p.dispatchLocked()
	p.wakeKeeperIfWaitingLocked()
}

// giveWayLocked has w, which has just served, make way for next: for another function of its group by its end, where slots are scarce, for
// another group as any idle worker does.
func (p *Pool) giveWayLocked(w *slot, next *waiter) {
	switch {
	case p.atHandLocked(next.key):
		p.serveLocked(next)
		p.restLocked(w)
	case next.group == w.group && (!p.grows() || p.freeLocked() <= 0):
		p.retireLocked(w, ReasonEvicted)
	default:
		p.restLocked(w)
		if p.shortOfLocked() > p.freeLocked() {
			p.evictLocked()
		}
	}
}

// restLocked makes w idle.
func (p *Pool) restLocked(w *slot) {
	p.setBusyLocked(w, false)
	p.idle.put(w)
}

func (p *Pool) wakeKeeperIfWaitingLocked() {
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

// handLocked gives w to waiting and counts the call as in progress.
func (p *Pool) handLocked(w *slot, waiting *waiter, start StartKind) {
	if w.key == "" {
		p.bindLocked(w, waiting.group, waiting.key)
	}
	p.setBusyLocked(w, true)
	p.setServingLocked(w, true)
	p.calls.Add(1)
	waiting.worker, waiting.start, waiting.turn.first = w, start, start != StartWarm
	close(waiting.ready)
}

// retireLocked kills w; its slot is free when its watcher has seen the end.
func (p *Pool) retireLocked(w *slot, reason Reason) {
	if !w.retired {
		w.retired = true
		p.retiring++
		p.setBusyLocked(w, false)
		p.setServingLocked(w, false)
		p.setLateLocked(w, false)
		w.kill(reason)
	}
}
