package sandbox

import "time"

// workBefore is how much time of workers the calls now waiting take before a new call of key is served. What it leaves
// out makes the wait longer, such as calls that come later and are served first, and workers that must be started.
// Bound says that a worker of key lives, which may serve its next call at once.
//
// The calls of key before it are served first in any case. In a quantum several short calls are served, or one long
// one. Each other function of its group has as many quanta as key has meanwhile, if it has calls enough, and each other
// group as many as its own group has.
func (q *queue) workBefore(group, key string, bound bool, active map[string]int) time.Duration {
	g, known := q.groups.members[group]
	own, quanta := line{}, 0
	if known {
		if f, ok := g.functions.members[key]; ok {
			own, quanta = f.line, f.quanta()
		}
	}
	if own.n == 0 && !bound {
		quanta = 1
	}
	if quanta == 0 {
		return own.cost
	}
	work, taken := own.cost, quanta
	if known {
		for name, f := range g.functions.members {
			if name != key {
				part := f.part(quanta)
				work += part.cost
				taken += min(quanta, part.quanta())
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

// quanta is how often at least the line must be given a worker to be served.
func (l line) quanta() int { return min(l.n, int(l.cost/quantum)) }

// part is what of the line is served in so many quanta.
func (l line) part(quanta int) line {
	mean := l.cost / time.Duration(l.n)
	cost := min(l.cost, time.Duration(quanta)*max(mean, quantum))
	if mean == 0 {
		return line{n: min(l.n, quanta)}
	}
	return line{n: int(cost / mean), cost: cost}
}
