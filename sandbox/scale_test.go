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
		if c.weighed != 1 || c.weight != shareOfWeight(n) {
			t.Fatalf("weighed %d times, %d at last", c.weighed, c.weight)
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
