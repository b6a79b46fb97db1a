package sandbox

import "time"

// ahead is how much time of workers the calls now waiting take before a new call of key is served. What it leaves out
// makes the wait longer, such as calls that come later and have their turn first, and workers that must be started.
// Bound says that a worker of key lives, which may serve its next call out of turn.
//
// The calls of key before it are served first in any case. A turn lasts a quantum, in which several short calls are
// served, or one call. Each other function of its group has as many turns as key has meanwhile, if it has calls enough,
// and each other group as many as its own group has.
func (q *queue) workBefore(group, key string, bound bool, active map[string]int) time.Duration {
	g, known := q.groups.members[group]
	own, roundRobin := line{}, 0
	if known {
		if f, ok := g.functions.members[key]; ok {
			own, roundRobin = f.line, f.roundRobin()
		}
	}
	if own.n == 0 && !bound {
		roundRobin = 1
	}
	if roundRobin == 0 {
		return own.cost
	}
	work, taken := own.cost, roundRobin
	if known {
		for name, f := range g.functions.members {
			if name != key {
				part := f.part(roundRobin)
				work += part.cost
				taken += min(roundRobin, part.roundRobin())
			}
		}
	}
	for name, other := range q.groups.members {
		if before := taken - max(active[name]-active[group], 0); name != group && before > 0 {
			part := other.part(before)
			work += part.cost
		}
	}
	return work
}

// turns is how often at least the line must be given a worker to be served.
func (l line) roundRobin() int { return min(l.n, int(l.cost/quantum)) }

// part is what of the line is served in so many turns.
func (l line) part(roundRobin int) line {
	mean := l.cost / time.Duration(l.n)
	cost := min(l.cost, time.Duration(roundRobin)*max(mean, quantum))
	if mean == 0 {
		return line{n: min(l.n, roundRobin)}
	}
	return line{n: int(cost / mean), cost: cost}
}
