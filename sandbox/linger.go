package sandbox

import "time"

// linger lets the work that the call inv has left go on in w, which has answered. It serves nobody meanwhile and, while it only waits, takes
// no part of anybody's share: whoever needs its room has it (evictLocked).
func (p *Pool) linger(w *slot, inv *Invocation, cost callCost, work afterwork) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paces.add(w.key, cost)
	w.calls++
	p.scatterLocked(w)
	p.setBusyLocked(w, false)
	p.setServingLocked(w, false)
	if !w.retired {
		w.since, w.lastUsed = time.Now(), time.Now()
		p.setLateLocked(w, true)
	}
	p.wakeKeeperIfWaitingLocked()
	p.calls.Add(1)
	inv = inv.slim()
	go func() {
		defer p.calls.Done()
		p.lingered(w, inv, work.rest())
	}()
}

// lingered takes w back when that work is over.
func (p *Pool) lingered(w *slot, inv *Invocation, reusable bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.setLateLocked(w, false)
	if w.retired {
		return
	}
	w.lastUsed = time.Now()
	p.giveBackLocked(w, inv, reusable)
}

// setLateLocked notes whether w is at work after an answer.
func (p *Pool) setLateLocked(w *slot, late bool) {
	if w.late == late {
		return
	}
	w.late = late
	if !late {
		p.setComputesLocked(w, false)
	}
	if late {
		p.late++
		p.house.late++
		p.house.noteServingLocked()
	} else {
		p.late--
		p.house.late--
	}
}

// setComputesLocked notes whether w, at work after an answer, uses a processor. Then it counts as active for its group, as a call does.
func (p *Pool) setComputesLocked(w *slot, computes bool) {
	if w.computes == computes {
		return
	}
	w.computes = computes
	n := 1
	if !computes {
		n = -1
	}
	p.house.shares.active.add(w.group, n)
	p.house.shares.computing.add(w.group, n)
	p.wakeOthersLocked()
	p.wakeKeeperIfWaitingLocked()
}

// endComputingLocked ends work after answers that uses processors, as long as calls wait for what it counts for.
func (p *Pool) endComputingLocked() {
	for p.house.shares.computing.total > 0 {
		w, owner := p.computingVictimLocked()
		if w == nil {
			return
		}
		owner.retireLocked(w, ReasonEvicted)
	}
}

// computingVictimLocked returns the worker, and its pool, whose work after its answer makes room for a call that waits here: one of a group that has
// more than the caller's, that of the richest one first. Of the caller's own group one only gives way where that has nothing else.
func (p *Pool) computingVictimLocked() (victim *slot, of *Pool) {
	active, computing := p.house.shares.active.of, p.house.shares.computing.of
	for name, g := range p.queue.groups.members {
		if p.wantsLocked(g) == 0 || p.hasRoomLocked(name) {
			continue
		}
		gives := func(group string) bool {
			return active[group] > active[name] || group == name && active[name] == computing[name]
		}
		for _, pool := range p.house.pools {
			for w := range pool.workers {
				if w.computes && gives(w.group) && (victim == nil || active[w.group] > active[victim.group]) {
					victim, of = w, pool
				}
			}
		}
	}
	return victim, of
}
