package sandbox

import "time"

// linger lets the work that the call inv has left go on in w, which has answered. It serves nobody meanwhile and takes no part of anybody's share:
// whoever needs its room has it (evictLocked).
func (p *Pool) linger(w *worker, inv *Invocation, cost callCost, work afterwork) {
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
func (p *Pool) lingered(w *worker, inv *Invocation, reusable bool) {
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
func (p *Pool) setLateLocked(w *worker, late bool) {
	if w.late == late {
		return
	}
	w.late = late
	if late {
		p.late++
		p.house.late++
		p.house.noteServingLocked()
	} else {
		p.late--
		p.house.late--
	}
}
