package sandbox

import "time"

// pace is how long the calls of one key hold a worker: their smoothed mean and mean deviation, as in RFC 6298 but slower, since here
// caution means to expect too little.
type pace struct {
	mean, deviation time.Duration
	seen            int
	last            time.Time

	cpu    time.Duration // the smoothed mean of the processor's time
	waited int           // calls until one that waited for something is forgotten
	missed int           // calls until one whose answer was waited for awake, and did not come, is forgotten
}

// callCost is what one call has taken.
type callCost struct {
	took   time.Duration // of its worker
	cpu    time.Duration // of a processor; 0 when that is not known
	waited bool          // main had returned before the answer was there
	missed bool          // the answer was waited for awake and did not come
}

// costOf is the cost of a call that took so long. Where the worker's clock could not be read, it counts as having computed, unless it has waited.
func costOf(stats *Stats, took time.Duration) callCost {
	switch {
	case stats == nil:
		return callCost{took: took, cpu: took}
	case stats.CPU == 0 && !stats.waited:
		return callCost{took: took, cpu: took}
	}
	return callCost{took: took, cpu: stats.CPU, waited: stats.waited}
}

// Bounds of what paces know.
const (
	paceWeight = 32                    // a new call counts 1/paceWeight
	paceCalls  = 8                     // fewer calls tell nothing
	paceAge    = time.Minute           // older knowledge counts as none
	paceKeys   = 4096                  // functions whose pace is kept
	shortCall  = time.Millisecond      // of a processor
	shortTurn  = 20 * time.Millisecond // of a worker: one that computes a little may also sleep without saying so
)

// least is a duration that a call of this pace takes on average at the least; 0 when too little is known.
func (p *pace) least(now time.Time) time.Duration {
	if p == nil || p.seen < paceCalls || now.Sub(p.last) > paceAge {
		return 0
	}
	return max(0, p.mean-p.deviation/4)
}

// short says whether the calls of this pace do nothing but compute, and not for long.
func (p *pace) short(now time.Time) bool {
	return p != nil && p.seen >= paceCalls && p.waited == 0 && p.cpu < shortCall && p.mean < shortTurn && now.Sub(p.last) <= paceAge
}

// waits says whether the calls of this pace wait for most of their time. What runs before they do is a moment.
func (p *pace) waits(now time.Time) bool {
	return p != nil && p.seen >= paceCalls && p.waited > 0 && p.cpu*waitShare < p.mean && now.Sub(p.last) <= paceAge
}

// soon says whether the calls of this pace are so short that being woken for their answers would take longer. Not after one whose answer did not come:
// its function may sleep without saying so, or the processors be busy with what the pool does not know.
func (p *pace) soon(now time.Time) bool { return p.short(now) && p.cpu < soonCall && p.missed == 0 }

// add notes a call.
func (p *pace) add(c callCost, now time.Time) {
	if now.Sub(p.last) > paceAge {
		*p = pace{mean: c.took, cpu: c.cpu}
	}
	p.seen++
	p.last = now
	weight := time.Duration(min(p.seen, paceWeight)) // the first calls count fully
	off := c.took - p.mean
	p.mean += off / weight
	p.deviation += (off.Abs() - p.deviation) / weight
	if c.cpu > 0 {
		p.cpu += (c.cpu - p.cpu) / weight
	}
	p.waited = max(p.waited-1, 0)
	if c.waited {
		p.waited = paceWeight
	}
	p.missed = max(p.missed-1, 0)
	if c.missed {
		p.missed = paceWeight
	}
}

// paces are those of all keys. The zero value is empty. Its user locks.
type paces map[string]*pace

// add notes what a call of key has cost.
func (p paces) add(key string, c callCost) {
	now := time.Now()
	known, ok := p[key]
	if !ok {
		if len(p) >= paceKeys {
			p.forget(now)
		}
		known = &pace{}
		p[key] = known
	}
	known.add(c, now)
}

// least is how long a call of key holds a worker on average at the least; 0 when too little is known.
func (p paces) least(key string) time.Duration { return p[key].least(time.Now()) }

// short says whether the calls of key are short; not while too little is known.
func (p paces) short(key string) bool { return p[key].short(time.Now()) }

// waits says whether the calls of key wait for most of their time; not while too little is known.
func (p paces) waits(key string) bool { return p[key].waits(time.Now()) }

// cost is how long a call of key holds a worker, on average at the least; 0 when too little is known. A call that waits holds one for as long as it
// computes, if that is all that is scarce.
func (p *Pool) costLocked(key string) time.Duration {
	least := p.paces.least(key)
	if p.grows() && p.paces.waits(key) {
		return min(least, p.paces[key].cpu)
	}
	return least
}

// soon says whether the answers to calls of key come soon; not while too little is known.
func (p paces) soon(key string) bool { return p[key].soon(time.Now()) }

// forget drops what is too old to count or, if nothing is, everything: it is soon learnt again.
func (p paces) forget(now time.Time) {
	before := len(p)
	for key, known := range p {
		if now.Sub(known.last) > paceAge {
			delete(p, key)
		}
	}
	if len(p) == before {
		clear(p)
	}
}
