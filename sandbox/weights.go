package sandbox

import "time"

// Processors are shared out between groups as workers are: those workers of one group that burn processors weigh
// together about as much as one worker by itself, and so do those whose calls wait, where they are not more than 32.
// Each of more than that has a 32nd: few of them compute at a time, and with less they would be starved when they do.
// One that has just begun, or that sleeps, weighs as much as any: calls that are over in a moment never meet this, and
// cost nothing here. Only a worker whose last call has waited begins with the weight of that. Calls that give way
// (behind.go) are a group by themselves.
//
//	group   burns on   each of them weighs
//	a       14         wholeWeight/16  ─┐
//	b       1          wholeWeight      ├─ about a third of the processors each, as far as each wants it
//	c       2          wholeWeight/2   ─┘

// weighAll keeps the weights of the workers of all pools right until stop is closed. Each pool calls it, and one at a
// time weighs for all.
func (b *budget) weighAll(stop <-chan struct{}) {
	select {
	case <-stop:
	case scales := <-b.scales:
		b.keepWeights(scales, stop)
		b.scales <- scales
		b.wakeWeigher() // another pool's goes on
	}
}

// keepWeights sleeps while one worker at most serves.
func (b *budget) keepWeights(scales map[*slot]*scale, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-b.serves:
		}
		for more := true; more; {
			pause := weighEvery * time.Duration(1+len(scales)/weighMost)
			began := time.Now()
			select {
			case <-stop:
				return
			case <-time.After(pause):
			}
			now := time.Now()
			more = b.loadScales(scales, now)
			setWeights(scales, now, max(burnMemory, 3*pause))
			b.noteComputing(scales, time.Since(began))
		}
	}
}

// loadScales puts the workers that have served a call for a while on scales and takes the others down. It says whether
// there is more to weigh. One whose call has waited stays on them for a while when that is over, with its weight: most
// serve another such call soon, and to weigh each of hundreds twice for every call would cost more than the calls.
func (b *budget) loadScales(scales map[*slot]*scale, now time.Time) (more bool) {
	serving := b.longServing()
	for w, s := range scales {
		if serving[w] {
			continue
		}
		if !s.rests(now) {
			s.set(wholeWeight)
			delete(scales, w)
		}
	}
	for w := range serving {
		child, ok := w.child.(weigher)
		switch s := scales[w]; {
		case !ok:
		case s == nil:
			scales[w] = &scale{child: child, group: w.group, used: child.cpuUsed(), weight: wholeWeight}
		case !s.rested.IsZero(): // its clock has not been looked at meanwhile
			s.used, s.rested = child.cpuUsed(), time.Time{}
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for w, s := range scales {
		if s.rested.IsZero() {
			s.noteCallLocked(w)
		}
	}
	return len(scales) > 0 || b.shares.serving.total+b.late > 1
}

// longServing are the workers that have served a call, or been at work after its answer, for a while.
func (b *budget) longServing() map[*slot]bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	long := map[*slot]bool{}
	now := time.Now()
	for _, s := range b.schedulers {
		for w := range s.workers {
			if (w.serving || w.late) && now.Sub(w.since) >= weighEvery {
				long[w] = true
			}
		}
	}
	return long
}
