package sandbox

import "time"

// Where memory is nearly gone and no worker is left that serves nobody, the kernel would soon end the largest worker.
// Before it does, calls of the group whose workers use the most end, the largest first: a group that takes little keeps
// its calls, however large each is. A group by itself is left to the kernel.

const (
	endPart = 16 // all of Config.Memory divided by it is what is left where calls end
	// usedPart is the part, as a divisor, that the workers which serve calls use of the memory at least: where others have
	// taken it, their end is no help.
	usedPart = 2
)

// consumer is a worker and what it uses.
type consumer struct {
	*slot
	used int64
}

// endLargest ends calls of the group that uses the most memory, if so little is left that the kernel would soon choose.
func (s *scheduler) endLargest(left int64) {
	s.mu.Lock()
	var serving []consumer
	if left < s.cfg.Memory/endPart && s.budget.unoccupiedLocked() == 0 && len(s.budget.shares.serving.of) > 1 {
		serving = s.budget.consumersLocked()
	}
	s.mu.Unlock()
	for i := range serving { // a read each
		if child, ok := serving[i].child.(memoryUser); ok {
			serving[i].used = child.memoryUsed()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for want := s.cfg.Memory/shortPart - left; want > 0; {
		greatest := largestOf(serving, s.cfg.Memory/usedPart)
		if greatest < 0 {
			return
		}
		e := &serving[greatest]
		if e.serving && !e.retired {
			e.ended = true
			e.kill(ReasonServerMemory)
			want -= e.used
		}
		e.used = 0
	}
}

// consumersLocked are the workers that serve calls; none while one that was ended for its memory still lives.
func (b *budget) consumersLocked() []consumer {
	var all []consumer
	for _, s := range b.schedulers {
		for w := range s.workers {
			if w.ended {
				return nil
			}
			if w.serving && time.Since(w.since) > memoryCheckSoon {
				all = append(all, consumer{slot: w})
			}
		}
	}
	return all
}

// largestOf is the place of the worker that uses the most of the group that uses the most; -1 when all of them together
// use less than least, or are of one group.
func largestOf(all []consumer, least int64) int {
	of, total := map[string]int64{}, int64(0)
	for _, e := range all {
		of[e.group] += e.used
		total += e.used
	}
	greatest := -1
	for i, e := range all {
		if e.used > 0 && (greatest < 0 || of[e.group] > of[all[greatest].group] ||
			e.group == all[greatest].group && e.used > all[greatest].used) {
			greatest = i
		}
	}
	if len(of) < 2 || total < least {
		return -1
	}
	return greatest
}
