package sandbox

import (
	"slices"
	"time"
)

// What decides between groups (namespaces, or owners of several): which may have a worker, which waits, and which gives
// up its place in the queue. Within a group its functions are served in turn (queue.go).
//
//	          Size workers
//	┌───────────────────────────────────┬───────────┐
//	│ capacity: for every group that    │  Reserve  │
//	│ wants more, the poorer first      │           │
//	└───────────────────────────────────┴───────────┘
//	      ▲                  ▲                ▲
//	has 9, wants 20     has 2, wants 4     has none
//	gets what no poorer goes before it,    gets one at once:
//	group is owed       until they are     from the capacity
//	                    even               or the reserve
//
//   - A call that runs cannot be taken back before its deadline. So the last Reserve workers are for groups that have
//     none when they come. One group may have all the others while nobody else wants them.
//   - What comes free goes to the group that has the fewest: max-min fair. A group that is owed workers which are still
//     being started does not lose them to a richer one that has some at hand.
//   - A group has the workers that its calls are on, of any kind: trial runs count as calls do. Idle workers are
//     nobody's: they make room, first those of the group that has the most workers (evict.go).
//   - The queue is shared by the same rule: when it is full, a call of a group with few waiting takes the place of the
//     last one of the group with the most (evicteeLocked). It is one for all runtimes.
//   - Where Active is less than Size, both the capacity and the reserve are there twice: Active and its reserve bound
//     those that may compute, Size and as much of it in proportion bound all. The poorest group is then the one with
//     the fewest workers that may compute: a call that is known to wait takes nothing that is scarce (waiting.go).
//   - Groups that burn processors weigh as much as one worker each (weights.go).

// waitsBeforeLocked says whether group waits in one of the first n pools.
func (b *budget) waitsBeforeLocked(n int, group string) bool {
	return slices.ContainsFunc(b.schedulers[:n], func(s *scheduler) bool { return s.queue.groups.members[group] != nil })
}

// wantsLocked is how many calls of group wait, for whatever runtime, for a worker that they do not have.
func (b *budget) wantsLocked(group string) int {
	n := 0
	for _, s := range b.schedulers {
		if g, ok := s.queue.groups.members[group]; ok {
			n += s.wantsLocked(g)
		}
	}
	return n
}

// wantsLocked is how many calls of g wait for a worker of s that they do not have.
func (s *scheduler) wantsLocked(g *groupQueue) int {
	n := g.n
	for key, f := range g.functions.members {
		if s.saturatedLocked(key) {
			n -= f.n
		}
	}
	return n
}

// owedLocked is how many workers of the room those who wait get before a group that holds so many: each as many as make
// it even, however many runtimes it waits for.
func (b *budget) owedLocked(own int) int {
	owed := 0
	for i, s := range b.schedulers {
		for name := range s.queue.groups.members {
			holds := b.shares.active.of[name]
			if holds >= own || b.waitsBeforeLocked(i, name) {
				continue
			}
			wants := b.wantsLocked(name)
			if b.shares.serving.of[name] == 0 && wants > 0 { // its first one may come from the reserve
				holds, wants = max(holds, 1), wants-1
			}
			owed += min(wants, own-holds)
		}
	}
	return owed
}

// mayTakeLocked says whether group may have another worker: its first as soon as there is any, later ones from what
// neither the reserve nor a poorer group takes.
func (s *scheduler) mayTakeLocked(group string) bool {
	if !s.hasCapacityLocked(group) {
		return false
	}
	b := s.budget
	return b.shares.serving.of[group] == 0 || b.waitingLocked() == 0 ||
		s.capacityLocked() > b.owedLocked(b.shares.active.of[group])
}

// demandLocked is how many of those who wait may have a worker. Newcomers are the first ones of groups that hold none.
// Where w is to serve the next call of its function, those that wait for the same are left out, and its group holds
// one.
func (s *scheduler) demandLocked(w *slot) (newcomers, others int) {
	for name, g := range s.queue.groups.members {
		wants, holds := s.wantsLocked(g), s.budget.shares.serving.of[name]
		if w != nil && name == w.group {
			holds++
			if f, ok := g.functions.members[w.key]; ok && !s.saturatedLocked(w.key) {
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

// shortageLocked is how many workers those who wait may have beyond those that are about to be started or to give up
// their slots.
func (s *scheduler) shortageLocked() int {
	newcomers, others := s.demandLocked(nil)
	newcomers = min(newcomers, max(s.newcomerCapacityLocked(), 0))
	return newcomers + min(others, max(s.capacityLocked()-newcomers, 0)) - s.starting - s.budget.retiringLocked()
}

// othersShortLocked says whether another pool wants workers for calls that wait, which go before the ones that are kept
// ready here.
func (s *scheduler) othersShortLocked() bool {
	for _, other := range s.budget.schedulers {
		if other != s && !other.closed && other.queue.len() > 0 && other.shortageLocked()+s.budget.retiringLocked() > 0 {
			return true
		}
	}
	return false
}

// nextLocked returns the call that is served next, those left aside whose key is not wanted: of the groups that may
// have a worker that of the one which has the fewest, round robin between several such; nil when there is none.
func (s *scheduler) nextLocked(wanted func(key string) bool) *call {
	var first *call
	fewest := 0
	for _, name := range s.queue.groups.order {
		holds := s.budget.shares.active.of[name]
		if first != nil && holds >= fewest || s.budget.shares.serving.of[name] > 0 && s.capacityLocked() <= 0 {
			continue
		}
		if w := s.queue.groups.members[name].next(wanted); w != nil && s.mayTakeLocked(name) {
			if first, fewest = w, holds; holds == 0 {
				break
			}
		}
	}
	return first
}

// mayKeepLocked says whether w, which has just served, may serve the next call of its function although others wait. It
// need not give way while there is enough for them: slots that are free or about to be, and for those who hold some
// already, room.
func (s *scheduler) mayKeepLocked(w *slot) bool {
	if s.queue.len() == s.queue.keys[w.key] {
		return true
	}
	newcomers, others := s.demandLocked(w)
	coming := s.freeLocked() + s.starting + s.retiring + s.idle.len() + s.late + s.stalled + len(s.prewarmed)
	coming = min(coming, s.newcomerCapacityLocked())
	if newcomers+others <= coming && others < s.capacityLocked() {
		return true
	}
	next := s.nextLocked(s.notSaturatedLocked)
	return next == nil || next.key == w.key || time.Since(w.bound) < quantum
}

// queuedLocked is how many calls of group wait, for whatever runtime.
func (b *budget) queuedLocked(group string) int {
	n := 0
	for _, s := range b.schedulers {
		if g, ok := s.queue.groups.members[group]; ok {
			n += g.n
		}
	}
	return n
}

// evicteeLocked returns the waiter that gives up its place in a full queue to a call of group, and the pool that it
// waits in: the last one of the group with the most waiters, of the runtime where that has the most; nil when that has
// no more than group would have then.
func (b *budget) evicteeLocked(group string) (evictee *call, of *scheduler) {
	richest, most := "", b.queuedLocked(group)+1
	for _, s := range b.schedulers {
		for _, name := range s.queue.groups.order {
			if n := b.queuedLocked(name); n > most {
				richest, most = name, n
			}
		}
	}
	var longest *groupQueue
	for _, s := range b.schedulers {
		if g, ok := s.queue.groups.members[richest]; ok && (longest == nil || g.n > longest.n) {
			longest, of = g, s
		}
	}
	if longest == nil {
		return nil, nil
	}
	return longest.last(), of
}
