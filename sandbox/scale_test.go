package sandbox

import (
	"testing"
	"time"
)

// counted is a child that counts how often it was weighed.
type counted struct {
	used    time.Duration
	weight  int
	weighed int
}

func (c *counted) cpuUsed() time.Duration { return c.used }
func (c *counted) weigh(weight int)       { c.weight, c.weighed = weight, c.weighed+1 }

func (c *counted) giveWay(bool) {}

// To weigh is a write to a cgroup: hundreds of calls that wait, and use a processor when they begin and when they wake,
// are weighed once, also when some of them end.
func TestCallsThatWaitAreWeighedOnce(t *testing.T) {
	const n = 300
	scales := map[*slot]*scale{}
	var children []*counted
	for range n {
		c := &counted{weight: wholeWeight}
		children = append(children, c)
		scales[&slot{}] = &scale{child: c, group: "g", weight: wholeWeight, waits: true}
	}
	now := time.Unix(1000, 0)
	for look := range 10 {
		for i, c := range children {
			if i%3 == look%3 {
				c.used += time.Millisecond // it has begun, or has what it waited for
			}
		}
		if look == 5 {
			for w := range scales {
				if len(scales) <= 200 {
					break
				}
				delete(scales, w)
			}
		}
		setWeights(scales, now.Add(time.Duration(look)*weighEvery), burnMemory)
	}
	for _, c := range children {
		if c.weighed != 1 || c.weight != leastWaiting {
			t.Fatalf("weighed %d times, %d at last", c.weighed, c.weight)
		}
	}
}

// The kernel shares a busy processor by weight, over any time: who has used a millisecond of it waits until a worker by
// itself has had as many as it weighs more. However many calls wait, what each does when it wakes, or what the next
// call of its worker does, is not delayed by as much as the server allows a call to compute.
func TestCallsThatWaitAreNotStarved(t *testing.T) {
	for _, behind := range []bool{false, true} {
		for n := 1; n <= 4096; n *= 2 {
			scales := map[*slot]*scale{}
			for range n {
				child := &counted{weight: wholeWeight}
				scales[&slot{}] = &scale{child: child, group: "g", weight: wholeWeight, waits: true, behind: behind}
			}
			setWeights(scales, time.Unix(1000, 0), burnMemory)
			share := max(shareOfWeight(uint(n)), leastWaiting)
			if behind {
				share = wholeWeight
			}
			for _, s := range scales {
				delay := time.Millisecond * time.Duration(wholeWeight/s.weight)
				if delay > DefaultConfig().SyncTimeout/2 || s.weight < share || s.weight > 2*share {
					t.Fatalf("one of %d weighs %d: a millisecond takes %v", n, s.weight, delay)
				}
			}
		}
	}
}

// One that is found to compute shares with those that burn.
func TestACallThatWaitsNoLongerIsWeighedWithThoseThatBurn(t *testing.T) {
	now := time.Unix(1000, 0)
	waits, burns := &counted{weight: wholeWeight}, &counted{weight: wholeWeight}
	one := &scale{child: waits, group: "g", weight: wholeWeight, waits: true}
	scales := map[*slot]*scale{{}: one, {}: {child: burns, group: "g", weight: wholeWeight}}
	look := func(waiting bool, want int) {
		t.Helper()
		waits.used += time.Millisecond
		burns.used += time.Millisecond
		one.waits, now = waiting, now.Add(weighEvery)
		setWeights(scales, now, burnMemory)
		if waits.weight != want || burns.weight != want {
			t.Errorf("they weigh %d and %d, want %d", waits.weight, burns.weight, want)
		}
	}
	look(true, wholeWeight)
	look(false, wholeWeight/2)
}

// resting is a child that serves nobody but can be weighed.
type resting struct {
	child
	*counted
}

// Workers that have served calls which waited weigh the same when they serve the next ones, and as whole ones when none
// have come for a while. Those that were found to compute do at once.
func TestAWorkerKeepsTheWeightOfACallThatWaitedForAWhile(t *testing.T) {
	b := newBudget()
	s := newScheduler(fakeConfig(4, 0), nil, b)
	workers := map[*slot]*counted{}
	for range 4 {
		c := &counted{weight: wholeWeight}
		w := &slot{child: resting{counted: c}, group: "g", since: time.Now().Add(-time.Minute)}
		workers[w], s.workers[w] = c, struct{}{}
	}
	scales, now := map[*slot]*scale{}, time.Now()
	look := func(after time.Duration, serving, waiting bool, weight, weighed int) {
		t.Helper()
		now = now.Add(after)
		for w, c := range workers {
			if w.serving, w.waiting = serving, waiting; serving {
				c.used += time.Millisecond
			}
		}
		b.loadScales(scales, now)
		setWeights(scales, now, burnMemory)
		for _, c := range workers {
			if c.weight != weight || c.weighed != weighed {
				t.Errorf("weighs %d, for the time %d; want %d and %d", c.weight, c.weighed, weight, weighed)
			}
		}
	}
	look(0, true, true, wholeWeight/4, 1)
	look(weighEvery, false, false, wholeWeight/4, 1)
	look(restTime/2, false, false, wholeWeight/4, 1)
	look(weighEvery, true, true, wholeWeight/4, 1)
	look(weighEvery, false, false, wholeWeight/4, 1)
	look(restTime+weighEvery, false, false, wholeWeight, 2)
	look(weighEvery, true, false, wholeWeight, 2) // its clock is not known yet
	look(weighEvery, true, false, wholeWeight/4, 3)
	look(weighEvery, false, false, wholeWeight, 4)
}
