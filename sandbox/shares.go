package sandbox

import (
	"slices"
	"time"
)

// Which group (namespace, or owner of several) may have a worker, which waits, and whose idle worker makes room. All of the policy between groups stands here; within
// a group its functions take turns (queue.go). The pool asks, and keeps count of who holds what.
//
//	          Size workers
//	┌───────────────────────────────────┬───────────┐
//	│ room: for every group that wants  │  Reserve  │
//	│ more, those who hold fewer first  │           │
//	└───────────────────────────────────┴───────────┘
//	      ▲                  ▲                ▲
//	holds 9, wants 20   holds 2, wants 4   holds none
//	gets what no poorer  goes before it,    gets one at once:
//	group is owed        until they are     from the room or
//	                     even               from the reserve
//
//   - A call that runs cannot be taken back before its deadline. So the last Reserve workers are for groups that hold none when they come;
//     all else one group may have while nobody else wants it.
//   - What comes free goes to the group that holds the fewest: max-min fair. A group that is owed workers which are only just being started
//     does not lose them to a richer one that has some at hand.
//   - Who holds is who has a call on a worker, of any kind: trial runs count as calls do. Idle workers are nobody's: they make room, first
//     those of the group that has the most workers.
//   - The queue is shared out by the same rule: when it is full, a call of a group with few waiting takes the place of the last one of the
//     group with the most (evicteeLocked). It is one for all runtimes.
//   - Where Active is less than Size, both the room and the reserve are there twice: Active and its reserve bound those that may compute,
//     Size and as much of it in proportion bound all. Who holds the fewest is then who has the fewest that may compute: a call that is
//     known to wait takes nothing of which there is little (waits.go).
//   - Groups that burn processors weigh as much as one worker each (weights.go).

// shares counts the workers that serve calls, by group. The zero value is empty. Its user locks.
type shares struct {
	serving   counts
	active    counts // those of them whose calls are not known to wait, and computing
	computing counts // those that use a processor after their answer
}

// counts counts by name. The zero value is empty.
type counts struct {
	of    map[string]int
	total int
}

func (t *counts) add(name string, n int) {
	if t.of == nil {
		t.of = map[string]int{}
	}
	t.total += n
	if t.of[name] += n; t.of[name] == 0 {
		delete(t.of, name)
	}
}

// setServingLocked notes whether w serves a call, busy or not.
func (p *Pool) setServingLocked(w *slot, serving bool) {
	if w.serving == serving {
		return
	}
	w.serving = serving
	if serving {
		w.since = time.Now()
		p.house.shares.serving.add(w.group, 1)
		p.house.shares.active.add(w.group, 1)
		p.house.noteServingLocked()
		return
	}
	p.setWaitingLocked(w, false)
	w.pending, w.seen, w.lookAt = false, 0, time.Time{}
	p.house.shares.serving.add(w.group, -1)
	p.house.shares.active.add(w.group, -1)
	p.wakeOthersLocked()
}

// mayTakeLocked says whether group may have another worker: its first as soon as there is any, later ones from what neither the reserve nor a
// poorer group takes.
func (p *Pool) mayTakeLocked(group string) bool {
	if !p.hasRoomLocked(group) {
		return false
	}
	room := p.roomLocked()
	return p.house.shares.serving.of[group] == 0 || (p.house.waitingLocked() == 0 || room > p.house.owedLocked(p.house.shares.active.of[group]))
}

// hasRoomLocked says whether group could have another worker if it were the only one that waits.
func (p *Pool) hasRoomLocked(group string) bool {
	if p.house.shares.serving.of[group] == 0 {
		return p.newcomerRoomLocked() > 0
	}
	return p.roomLocked() > 0
}

// roomLocked is how many workers more may serve groups that hold some.
func (p *Pool) roomLocked() int {
	active := p.cfg.Active - p.cfg.Reserve - p.house.shares.active.total
	reserve := p.cfg.Reserve * p.cfg.Size / p.cfg.Active
	return min(active, p.cfg.Size-reserve-p.house.shares.serving.total)
}

// newcomerRoomLocked is how many workers more may serve groups that hold none.
func (p *Pool) newcomerRoomLocked() int {
	return min(p.cfg.Active-p.house.shares.active.total, p.cfg.Size-p.house.shares.serving.total)
}

// owedLocked is how many workers of the room those who wait get before a group that holds so many: each as many as make it even, however many
// runtimes it waits for.
func (h *house) owedLocked(own int) int {
	owed := 0
	for i, p := range h.pools {
		for name := range p.queue.groups.members {
			holds := h.shares.active.of[name]
			if holds >= own || h.waitsBeforeLocked(i, name) {
				continue
			}
			wants := h.wantsLocked(name)
			if h.shares.serving.of[name] == 0 && wants > 0 { // its first one may come from the reserve
				holds, wants = max(holds, 1), wants-1
			}
			owed += min(wants, own-holds)
		}
	}
	return owed
}

// waitsBeforeLocked says whether group waits in one of the first n pools.
func (h *house) waitsBeforeLocked(n int, group string) bool {
	return slices.ContainsFunc(h.pools[:n], func(p *Pool) bool { return p.queue.groups.members[group] != nil })
}

// wantsLocked is how many calls of group wait, for whatever runtime, for a worker that they do not have.
func (h *house) wantsLocked(group string) int {
	n := 0
	for _, p := range h.pools {
		if g, ok := p.queue.groups.members[group]; ok {
			n += p.wantsLocked(g)
		}
	}
	return n
}

// wantsLocked is how many calls of g wait for a worker of p that they do not have.
func (p *Pool) wantsLocked(g *groupQueue) int {
	n := g.n
	for key, f := range g.functions.members {
		if p.heldLocked(key) {
			n -= f.n
		}
	}
	return n
}

// wantingLocked is how many of those who wait may have a worker. Newcomers are the first ones of groups that hold none. Where w is to serve the next
// call of its function, those that wait for the same are left out, and its group holds one.
func (p *Pool) wantingLocked(w *slot) (newcomers, others int) {
	for name, g := range p.queue.groups.members {
		wants, holds := p.wantsLocked(g), p.house.shares.serving.of[name]
		if w != nil && name == w.group {
			holds++
			if f, ok := g.functions.members[w.key]; ok && !p.heldLocked(w.key) {
				wants -= f.n
			}
		}
		if wants > 0 && holds == 0 {
			newcomers++
			wants--
		}
		others += wants
	}
	return newcomers, others
}

// shortOfLocked is how many workers those who wait may have beyond those that are about to be started or to give up their slots.
func (p *Pool) shortOfLocked() int {
	newcomers, others := p.wantingLocked(nil)
	newcomers = min(newcomers, max(p.newcomerRoomLocked(), 0))
	return newcomers + min(others, max(p.roomLocked()-newcomers, 0)) - p.starting - p.house.retiringLocked()
}

// nextLocked returns the waiter whose turn it is, those left aside whose key is not wanted: of the groups that may have a worker that of the
// one which holds the fewest, of several such the one that has waited for its turn; nil when there is none.
func (p *Pool) nextLocked(wanted func(key string) bool) *waiter {
	var first *waiter
	fewest := 0
	for _, name := range p.queue.groups.order {
		holds := p.house.shares.active.of[name]
		if first != nil && holds >= fewest || p.house.shares.serving.of[name] > 0 && p.roomLocked() <= 0 {
			continue
		}
		if w := p.queue.groups.members[name].next(wanted); w != nil && p.mayTakeLocked(name) {
			if first, fewest = w, holds; holds == 0 {
				break
			}
		}
	}
	return first
}

// mayStayLocked says whether w, which has just served, may serve the next call of its function although others wait. It need not give way while
// there is enough for them: slots that are free or about to be, and for those who hold some already, room.
func (p *Pool) mayStayLocked(w *slot) bool {
	if p.queue.len() == p.queue.keys[w.key] {
		return true
	}
	newcomers, others := p.wantingLocked(w)
	coming := min(p.freeLocked()+p.starting+p.retiring+p.idle.len()+p.late+len(p.prewarmed), p.newcomerRoomLocked())
	if newcomers+others <= coming && others < p.roomLocked() {
		return true
	}
	next := p.nextLocked(p.notHeldLocked)
	return next == nil || next.key == w.key || time.Since(w.bound) < quantum
}

// evicteeLocked returns the waiter that gives up its place in a full queue to a call of group, and the pool that it waits in: the last one of the
// group with the most waiters, of the runtime where that has the most; nil when that has no more than group would have then.
func (h *house) evicteeLocked(group string) (evictee *waiter, of *Pool) {
	richest, most := "", h.queuedLocked(group)+1
	for _, p := range h.pools {
		for _, name := range p.queue.groups.order {
			if n := h.queuedLocked(name); n > most {
				richest, most = name, n
			}
		}
	}
	var longest *groupQueue
	for _, p := range h.pools {
		if g, ok := p.queue.groups.members[richest]; ok && (longest == nil || g.n > longest.n) {
			longest, of = g, p
		}
	}
	if longest == nil {
		return nil, nil
	}
	return longest.last(), of
}

// queuedLocked is how many calls of group wait, for whatever runtime.
func (h *house) queuedLocked(group string) int {
	n := 0
	for _, p := range h.pools {
		if g, ok := p.queue.groups.members[group]; ok {
			n += g.n
		}
	}
	return n
}
