package sandbox

import (
	"math/bits"
	"time"

	"github.com/backstage/functions/sandbox/internal/cgroup"
)

// Processors are shared out between groups as workers are: those workers of one group that burn processors weigh together about as much as one
// worker by itself, and so do those whose calls wait: a thousand of them that wake at once leave others theirs. One that has just begun, or that sleeps, weighs as much as any: calls that are over in a moment never meet this, and cost
// nothing here.
//
//	group   burns on   each of them weighs
//	a       14         wholeWeight/16  ─┐
//	b       1          wholeWeight      ├─ about a third of the processors each, as far as each wants it
//	c       2          wholeWeight/2   ─┘

const (
	weighEvery  = 10 * time.Millisecond
	weighMost   = 64                     // workers that are looked at so often; of more less often
	wholeWeight = cgroup.WholeWeight     // of a worker by itself
	burnMemory  = 200 * time.Millisecond // a worker that used a processor in this time burns: where many share one, each waits for its turn
)

// weigher is a child whose share of the processors can be set.
type weigher interface {
	// cpuUsed is the processor time that it has used in its life.
	cpuUsed() time.Duration
	// weigh makes it count as weight beside the others, wholeWeight being that of a worker by itself. It has no effect on one that is dead.
	weigh(weight int)
}

// scale is what is known of the use of processors by one worker that has served a call for a while.
type scale struct {
	child  weigher
	group  string
	used   time.Duration
	burned time.Time     // it was last seen to use a processor then
	last   time.Duration // what it had used between the last two looks
	weight int
	burns  bool // it has used a processor lately
	waits  bool // its call waits for something
}

// noteServingLocked wakes whoever weighs when there are workers to share processors between.
func (h *house) noteServingLocked() {
	if h.shares.serving.total+h.late > 1 {
		h.wakeWeigher()
	}
}

func (h *house) wakeWeigher() {
	select {
	case h.serves <- struct{}{}:
	default:
	}
}

// weighAll keeps the weights of the workers of all pools right until stop is closed. Each pool calls it, and one at a time weighs for all.
func (h *house) weighAll(stop <-chan struct{}) {
	select {
	case <-stop:
	case scales := <-h.scales:
		h.keepWeights(scales, stop)
		h.scales <- scales
		h.wakeWeigher() // another pool's goes on
	}
}

// keepWeights sleeps while one worker at the most serves.
func (h *house) keepWeights(scales map[*slot]*scale, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-h.serves:
		}
		for more := true; more; {
			pause := weighEvery * time.Duration(1+len(scales)/weighMost)
			began := time.Now()
			select {
			case <-stop:
				return
			case <-time.After(pause):
			}
			more = h.loadScales(scales)
			setWeights(scales, time.Now(), max(burnMemory, 3*pause))
			h.noteComputing(scales, time.Since(began))
		}
	}
}

// loadScales puts the workers that have served a call for a while on scales and takes the others down. It says whether there is more to weigh.
func (h *house) loadScales(scales map[*slot]*scale) (more bool) {
	serving := h.longServing()
	for w, s := range scales {
		if !serving[w] {
			s.set(wholeWeight)
			delete(scales, w)
		}
	}
	for w := range serving {
		if child, ok := w.child.(weigher); ok && scales[w] == nil {
			scales[w] = &scale{child: child, group: w.group, used: child.cpuUsed(), weight: wholeWeight}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for w, s := range scales {
		s.waits = w.waiting
	}
	return len(scales) > 0 || h.shares.serving.total+h.late > 1
}

// longServing are the workers that have served a call, or been at work after its answer, for a while.
func (h *house) longServing() map[*slot]bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	long := map[*slot]bool{}
	now := time.Now()
	for _, p := range h.pools {
		for w := range p.workers {
			if (w.serving || w.late) && now.Sub(w.since) >= weighEvery {
				long[w] = true
			}
		}
	}
	return long
}

// setWeights looks at what each worker has used and shares the weight of each group between those of it that burn, or wait for something and are
// about to compute when they have it: evenly, in steps of two. One burns for memory after it was seen to use a processor.
func setWeights(scales map[*slot]*scale, now time.Time, memory time.Duration) {
	burning, waiting := map[string]uint{}, map[string]uint{}
	for _, s := range scales {
		s.last = 0
		if used := s.child.cpuUsed(); used > s.used {
			s.last = used - s.used
			s.used, s.burned = used, now
		}
		s.burns = now.Sub(s.burned) < memory
		switch {
		case s.burns:
			burning[s.group]++
		case s.waits:
			waiting[s.group]++
		}
	}
	for _, s := range scales {
		switch {
		case s.burns:
			s.set(shareOfWeight(burning[s.group]))
		case s.waits:
			s.set(shareOfWeight(waiting[s.group]))
		default:
			s.set(wholeWeight)
		}
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
