package sandbox

import (
	"time"

	"github.com/backstage/functions/sandbox/internal/worker"
)

// serviceTime is how long the calls of one key hold a worker: their smoothed mean and mean deviation, as in RFC 6298
// but slower, since here caution means to expect too little.
type serviceTime struct {
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

// costOf is the cost of a call that took so long. Where the worker's clock could not be read, it counts as having
// computed, unless it has waited.
func costOf(stats *Stats, took time.Duration) callCost {
	switch {
	case stats == nil:
		return callCost{took: took, cpu: took}
	case stats.CPU == 0 && !stats.waited:
		return callCost{took: took, cpu: took}
	}
	return callCost{took: took, cpu: stats.CPU, waited: stats.waited}
}

// Bounds of what service times know.
const (
	serviceWeight = 32                    // a new call counts 1/serviceWeight
	serviceCalls  = 8                     // fewer calls tell nothing
	serviceAge    = time.Minute           // older knowledge counts as none
	serviceKeys   = 4096                  // functions whose service time is kept
	shortCall     = time.Millisecond      // of a processor
	shortService  = 20 * time.Millisecond // of a worker: one that computes a little may also sleep without saying so
)

// waitShare is the part of its time, as a divisor, that a call which waits may use a processor for.
const waitShare = 8

// known says whether enough is known, and not too long ago.
func (p *serviceTime) known(now time.Time) bool {
	return p != nil && p.seen >= serviceCalls && now.Sub(p.last) <= serviceAge
}

// least is a duration that a call of this service time takes on average, at least; 0 when too little is known.
func (p *serviceTime) least(now time.Time) time.Duration {
	if !p.known(now) {
		return 0
	}
	return max(0, p.mean-p.deviation/4)
}

// short says whether the calls of this service time do nothing but compute, and not for long.
func (p *serviceTime) short(now time.Time) bool {
	return p.known(now) && p.waited == 0 && p.cpu < shortCall && p.mean < shortService
}

// waits says whether the calls of this service time wait for most of their time. What runs before they do is a moment.
func (p *serviceTime) waits(now time.Time) bool {
	return p.known(now) && p.waited > 0 && p.cpu*waitShare < p.mean
}

// soon says whether the calls of this service time are so short that being woken for their answers would take longer.
// Not after one whose answer did not come: its function may sleep without saying so, or the processors be busy with
// what the pool does not know.
func (p *serviceTime) soon(now time.Time) bool {
	return p.short(now) && p.cpu < busyWaitCPU && p.missed == 0
}

// add notes a call.
func (p *serviceTime) add(c callCost, now time.Time) {
	if now.Sub(p.last) > serviceAge {
		*p = serviceTime{mean: c.took, cpu: c.cpu}
	}
	p.seen++
	p.last = now
	weight := time.Duration(min(p.seen, serviceWeight)) // the first calls count fully
	off := c.took - p.mean
	p.mean += off / weight
	p.deviation += (off.Abs() - p.deviation) / weight
	if c.cpu > 0 {
		p.cpu += (c.cpu - p.cpu) / weight
	}
	p.waited = max(p.waited-1, 0)
	if c.waited {
		p.waited = serviceWeight
	}
	p.missed = max(p.missed-1, 0)
	if c.missed {
		p.missed = serviceWeight
	}
}

// serviceTimes are those of all keys. The zero value is empty. Its user locks.
type serviceTimes map[string]*serviceTime

// add notes what a call of key has cost.
func (p serviceTimes) add(key string, c callCost) {
	now := time.Now()
	known, ok := p[key]
	if !ok {
		if len(p) >= serviceKeys {
			p.forget(now)
		}
		known = &serviceTime{}
		p[key] = known
	}
	known.add(c, now)
}

// least is how long a call of key holds a worker on average, at least; 0 when too little is known.
func (p serviceTimes) least(key string) time.Duration { return p[key].least(time.Now()) }

// short says whether the calls of key are short; not while too little is known.
func (p serviceTimes) short(key string) bool { return p[key].short(time.Now()) }

// waits says whether the calls of key wait for most of their time; not while too little is known.
func (p serviceTimes) waits(key string) bool { return p[key].waits(time.Now()) }

// soon says whether the answers to calls of key come soon; not while too little is known.
func (p serviceTimes) soon(key string) bool { return p[key].soon(time.Now()) }

// forget drops what is too old to count or, if nothing is, everything: it is soon learnt again.
func (p serviceTimes) forget(now time.Time) {
	before := len(p)
	for key, known := range p {
		if now.Sub(known.last) > serviceAge {
			delete(p, key)
		}
	}
	if len(p) == before {
		clear(p)
	}
}

// To be put to sleep and woken again takes a goroutine that waits for a pipe longer than a short call takes its worker.
// So while processors have nothing else to do, the one that waits for the answer of such a call stays awake for a
// moment.
const busyWaitCPU = worker.BusyWait / 2 // of a processor: calls that take longer are not worth it
