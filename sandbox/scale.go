package sandbox

import (
	"math/bits"
	"time"

	"github.com/backstage/functions/sandbox/internal/cgroup"
)

const (
	weighEvery  = 10 * time.Millisecond
	weighMost   = 64                 // workers that are looked at so often; of more less often
	wholeWeight = cgroup.WholeWeight // of a worker by itself
	// burnMemory: a worker that used a processor in this time burns. Where many share one, each has it now and then.
	burnMemory = 200 * time.Millisecond
	// leastWaiting is the least that a worker weighs whose call waits. The kernel lets a group that has had a millisecond
	// of a busy processor wait until the others there have had as much by weight: beside a worker by itself a second at
	// a 1024th of its weight, longer than calls may last, and 32 ms at this.
	leastWaiting = wholeWeight / 32
	// restTime is how long a worker keeps the weight of a call that has waited.
	restTime = 2 * time.Second
)

// scale is what is known of the use of processors by one worker that has served a call for a while.
type scale struct {
	child  weigher
	group  string
	used   time.Duration
	burned time.Time     // it was last seen to use a processor then
	last   time.Duration // what it had used between the last two looks
	weight int
	burns  bool      // it has used a processor lately
	waits  bool      // its call waits for something
	rested time.Time // it has served no call since then; zero while it does
	behind bool      // its call gives way

	since  time.Time     // its call began then
	from   time.Time     // that was seen then
	before time.Duration // what it had used by then
}

// rests says whether a worker that is not seen to serve keeps its weight: its last call has waited, and it has not been
// idle for long.
func (s *scale) rests(now time.Time) bool {
	if s.rested.IsZero() && s.waits {
		s.rested = now
	}
	return now.Sub(s.rested) < restTime
}

func (s *scale) class() class { return class{s.group, s.behind} }

// setWeights looks at what each worker has used and shares the weight of each group between those of it that burn, and
// as much again between those whose calls wait for something and are about to compute when they have it: evenly, in
// steps of two. One burns for memory after it was seen to use a processor, unless its call waits: that it used little
// of one is known (noteComputing). To set a weight is a write to a cgroup, so those that wait keep one that is near.
func setWeights(scales map[*slot]*scale, now time.Time, memory time.Duration) {
	burning, waiting := map[class]uint{}, map[class]uint{}
	for _, s := range scales {
		s.last = 0
		if !s.rested.IsZero() {
			continue
		}
		if used := s.child.cpuUsed(); used > s.used {
			s.last = used - s.used
			s.used, s.burned = used, now
		}
		s.burns = now.Sub(s.burned) < memory
		s.endStarving(now)
		switch {
		case s.waits:
			waiting[s.class()]++
		case s.burns:
			burning[s.class()]++
		}
	}
	for _, s := range scales {
		switch {
		case !s.rested.IsZero():
		case s.waits:
			s.setNear(max(shareOfWeight(waiting[s.class()]), s.leastWaiting()))
		case s.burns:
			s.set(shareOfWeight(burning[s.class()]))
		default:
			s.set(wholeWeight)
		}
	}
}

// leastWaiting is the least that s weighs while its call waits. What gives way has a small part of that already, and is
// not seen to be starved while it waits.
func (s *scale) leastWaiting() int {
	if s.behind {
		return wholeWeight
	}
	return leastWaiting
}

// setNear is set for a weight that may be half or twice of what is asked for.
func (s *scale) setNear(weight int) {
	if weight > 2*s.weight || 2*weight < s.weight {
		s.set(weight)
	}
}

// shareOfWeight is the weight of one of n that share one.
func shareOfWeight(n uint) int { return max(wholeWeight>>bits.Len(n-1), 1) }

func (s *scale) set(weight int) {
	if weight != s.weight {
		s.weight = weight
		s.child.weigh(weight)
	}
}
