package sandbox

import "time"

// pace is how long the calls of one key hold a worker: their smoothed mean and mean deviation, as in RFC 6298 but slower, since here
// caution means to expect too little.
type pace struct {
	mean, deviation time.Duration
	seen            int
	last            time.Time
}

// Bounds of what paces know.
const (
	paceWeight = 32          // a new call counts 1/paceWeight
	paceCalls  = 8           // fewer calls tell nothing
	paceAge    = time.Minute // older knowledge counts as none
	paceKeys   = 4096        // functions whose pace is kept
)

// least is a duration that a call of this pace takes on average at the least; 0 when too little is known.
func (p *pace) least(now time.Time) time.Duration {
	if p == nil || p.seen < paceCalls || now.Sub(p.last) > paceAge {
		return 0
	}
	return max(0, p.mean-p.deviation/4)
}

func (p *pace) add(took time.Duration, now time.Time) {
	if now.Sub(p.last) > paceAge {
		*p = pace{mean: took}
	}
	p.seen++
	p.last = now
	weight := time.Duration(min(p.seen, paceWeight)) // the first calls count fully
	off := took - p.mean
	p.mean += off / weight
	p.deviation += (off.Abs() - p.deviation) / weight
}

// paces are those of all keys. The zero value is empty. Its user locks.
type paces map[string]*pace

// add notes that a call of key held its worker for so long.
func (p paces) add(key string, took time.Duration) {
	now := time.Now()
	known, ok := p[key]
	if !ok {
		if len(p) >= paceKeys {
			p.forget(now)
		}
		known = &pace{}
		p[key] = known
	}
	known.add(took, now)
}

// least is how long a call of key holds a worker on average at the least; 0 when too little is known.
func (p paces) least(key string) time.Duration { return p[key].least(time.Now()) }

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
