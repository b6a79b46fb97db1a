package sandbox

import "sync"

// house is what the pools of several runtimes have in common: one budget of workers, Config.Size of all together, one bound on the calls that
// wait, and the shares of groups in both. A pool by itself has one of its own.
type house struct {
	mu     sync.Mutex // guards the fields below and all that the pools guard by it
	pools  []*Pool
	shares shares
	room   room
	groups map[string]int // workers of each group that live
	late   int            // workers that are at work after an answer

	serves chan struct{}         // wakes whoever weighs
	scales chan map[*slot]*scale // whoever weighs has taken them out
}

func newHouse() *house {
	h := &house{groups: map[string]int{}, serves: make(chan struct{}, 1), scales: make(chan map[*slot]*scale, 1)}
	h.scales <- map[*slot]*scale{}
	return h
}

// freeLocked counts the slots without a process, as far as there is memory for them. At the start of several runtimes it may be below 0, and where
// memory has become scarce.
func (p *Pool) freeLocked() int { return p.freeOfLocked(p.limitLocked()) }

// freeOfLocked counts those of so many slots.
func (p *Pool) freeOfLocked(free int) int {
	for _, other := range p.house.pools {
		free -= len(other.workers) + other.starting
	}
	return free
}

// retiringLocked is how many workers give up their slots.
func (h *house) retiringLocked() int {
	n := 0
	for _, p := range h.pools {
		n += p.retiring
	}
	return n
}

// waitingLocked is how many calls wait.
func (h *house) waitingLocked() int {
	n := 0
	for _, p := range h.pools {
		n += p.queue.len()
	}
	return n
}

// wakeOthersLocked wakes the keepers of the other pools in which calls wait: there is more for them.
func (p *Pool) wakeOthersLocked() {
	for _, other := range p.house.pools {
		if other != p && other.queue.len() > 0 {
			other.wakeKeeper()
		}
	}
}

// othersShortLocked says whether another pool wants workers for calls that wait, which go before the ones that are kept ready here.
func (p *Pool) othersShortLocked() bool {
	for _, other := range p.house.pools {
		if other != p && !other.closed && other.queue.len() > 0 && other.shortOfLocked()+p.house.retiringLocked() > 0 {
			return true
		}
	}
	return false
}

// evictLocked ends a worker to make room, if there is one that serves nobody: of those that are idle or at work after an answer one of the group that
// has the most workers, and there an idle one before one at work, and the one that was not used for the longest time; if none is, one that another
// pool keeps ready.
func (p *Pool) evictLocked() bool {
	var victim *slot
	var owner *Pool
	consider := func(w *slot, pool *Pool) {
		if victim == nil || p.house.goesBeforeLocked(w, victim) {
			victim, owner = w, pool
		}
	}
	for _, pool := range p.house.pools {
		for e := pool.idle.lru.Front(); e != nil; e = e.Next() {
			consider(e.Value.(*slot), pool)
		}
		if pool.late > 0 {
			for w := range pool.workers {
				if w.late {
					consider(w, pool)
				}
			}
		}
	}
	if victim != nil {
		owner.idle.remove(victim)
		owner.retireLocked(victim, ReasonEvicted)
		return true
	}
	for _, pool := range p.house.pools {
		if pool != p && len(pool.prewarmed) > 0 {
			pool.retirePrewarmedLocked(ReasonEvicted)
			return true
		}
	}
	return false
}

// goesBeforeLocked says whether w is to make room before other.
func (h *house) goesBeforeLocked(w, other *slot) bool {
	if n, m := h.groups[w.group], h.groups[other.group]; n != m {
		return n > m
	}
	if w.late != other.late {
		return other.late
	}
	return w.lastUsed.Before(other.lastUsed)
}

// retirePrewarmedLocked ends the worker that has been ready for the longest time.
func (p *Pool) retirePrewarmedLocked(reason Reason) {
	w := p.prewarmed[0]
	p.prewarmed = p.prewarmed[1:]
	p.retireLocked(w, reason)
}
