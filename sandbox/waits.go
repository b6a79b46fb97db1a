package sandbox

import "time"

// A call that waits for a timer or an answer from outside holds its worker's memory and nothing else. Where Config.Active is less than Size, such
// calls do not count as active, so that others can have workers beside them, as many as Size and the memory allow (room.go):
//
//	call begins      main has returned       asleep, its clock stands still
//	──────────► active ──────────► pending ────────────────────────────────► waiting
//	              ▲                              its clock runs                 │
//	              └─────────────────────────────────────────────────────────────┘
//
// A call of a function whose calls are known to use little of a processor while they wait is taken to wait as soon as it is pending. Of others the
// clock is looked at twice, while there are calls that want room.

const (
	// waitLook is the time between two looks at calls that are pending.
	waitLook = 3 * time.Millisecond
	// computesFor is how long a call that was seen to compute is taken to do so.
	computesFor = 20 * time.Millisecond
	// waitShare is the part of the time, as a divisor, that a call which waits may use a processor for.
	waitShare = 8
)

// sleeper is a child that can tell whether it sleeps.
type sleeper interface {
	weigher
	// asleep says whether it waits for something, rather than for a processor.
	asleep() bool
}

// grows says whether there may be more workers than may compute.
func (p *Pool) grows() bool { return p.cfg.Active < p.cfg.Size }

// setPendingLocked notes that main has returned in w, and that its answer is to come.
func (p *Pool) setPendingLocked(w *slot) {
	w.pending = w.serving && p.grows()
	if w.pending && p.paces.waits(w.key) {
		p.setWaitingLocked(w, true)
	}
}

// setWaitingLocked notes whether the call on w waits for something.
func (p *Pool) setWaitingLocked(w *slot, waiting bool) {
	if w.waiting == waiting {
		return
	}
	w.waiting = waiting
	if waiting {
		p.house.shares.active.add(w.group, -1)
		p.wakeOthersLocked()
	} else {
		p.house.shares.active.add(w.group, 1)
	}
}

// wantsRoomLocked says whether calls wait in any pool which calls that only wait could make room for.
func (p *Pool) wantsRoomLocked() bool {
	return p.grows() && p.roomLocked() <= 0 && p.house.waitingLocked() > 0
}

func (p *Pool) wantsRoom() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wantsRoomLocked()
}

// unsureLocked are the workers of all pools whose calls are pending, and not known to wait or to compute.
func (h *house) unsureLocked(now time.Time) []*slot {
	var unsure []*slot
	for _, p := range h.pools {
		for w := range p.workers {
			if w.pending && !w.waiting && !now.Before(w.lookAt) {
				unsure = append(unsure, w)
			}
		}
	}
	return unsure
}

// noteComputing counts calls as active again which were taken to wait and have used a processor for more than a part of the time since the last
// look; for any of it, where those which are taken to wait use most of what there is. Work after an answer counts as active likewise, until it
// uses no processor for a while.
func (h *house) noteComputing(scales map[*slot]*scale, since time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all time.Duration
	for w, s := range scales {
		if w.waiting || w.late {
			all += s.last
		}
	}
	allowed := since / waitShare
	for _, p := range h.pools {
		if all > since*time.Duration(p.processors)/2 {
			allowed = 0
		}
	}
	now := time.Now()
	for _, p := range h.pools {
		for w := range p.workers {
			s := scales[w]
			switch {
			case s == nil:
			case w.waiting && s.last > allowed:
				p.setWaitingLocked(w, false)
				w.lookAt = now.Add(burnMemory)
			case w.late && p.grows():
				p.setComputesLocked(w, s.last > allowed || w.computes && s.burns)
			}
		}
	}
}

// lookAtPending finds out which calls wait while others want their room.
func (p *Pool) lookAtPending() {
	p.mu.Lock()
	var unsure []*slot
	if p.wantsRoomLocked() {
		unsure = p.house.unsureLocked(time.Now())
	}
	p.mu.Unlock()
	type look struct {
		used   time.Duration
		asleep bool
	}
	looks := make([]look, len(unsure))
	for i, w := range unsure { // a system call each
		if child, ok := w.child.(sleeper); ok {
			looks[i] = look{child.cpuUsed(), child.asleep()}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	found := false
	for i, w := range unsure {
		if !w.pending || w.waiting || looks[i].used == 0 {
			continue
		}
		rested := looks[i].used-w.seen < waitLook/waitShare
		switch {
		case !looks[i].asleep || w.seen > 0 && !rested:
			w.lookAt = time.Now().Add(computesFor)
		case w.seen > 0:
			p.setWaitingLocked(w, true)
			found = true
		}
		w.seen = looks[i].used
	}
	if found {
		p.dispatchLocked()
		p.wakeKeeper()
	}
}
