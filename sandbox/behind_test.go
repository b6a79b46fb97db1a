package sandbox

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// yielding is a child that notes what it counts for when it gets a call, and that gets part of a processor.
type yielding struct {
	*fakeChild
	part float64
	born time.Time

	mu     sync.Mutex // guards the fields below
	behind bool
	began  []bool // what behind was when each call came
}

func (c *yielding) cpuUsed() time.Duration {
	return time.Duration(float64(time.Since(c.born)) * c.part)
}
func (c *yielding) weigh(int) {}

func (c *yielding) giveWay(behind bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.behind = behind
}

func (c *yielding) isBehind() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.behind
}

func (c *yielding) invoke(ctx context.Context, call *call) (*Result, bool, error) {
	c.mu.Lock()
	c.began = append(c.began, c.behind)
	c.mu.Unlock()
	return c.fakeChild.invoke(ctx, call)
}

// yieldingStarter makes them.
type yieldingStarter struct {
	sharedStarter
	part float64

	mu  sync.Mutex // guards all
	all []*yielding
}

func (s *yieldingStarter) start(ctx context.Context) (child, error) {
	c, err := s.fakeStarter.start(ctx)
	if err != nil {
		return nil, err
	}
	made := &yielding{fakeChild: c.(*fakeChild), part: s.part, born: time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, made)
	return made, nil
}

func yieldingPool(t *testing.T, part float64) (*runtimePool, *yieldingStarter) {
	t.Helper()
	starter := &yieldingStarter{sharedStarter: sharedStarter{&fakeStarter{}}, part: part}
	pool, err := newPool(t.Context(), fakeConfig(4, 0), starter, newBudget())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	return pool, starter
}

// inBackground is an invocation that gives way.
func inBackground(key, takes string) *Invocation {
	inv := invocation(key, takes)
	inv.Background = true
	return inv
}

// One worker serves both kinds of calls in turn, and counts as it should before it gets each.
func TestACallGivesWayFromItsBeginningAndTheNextOneDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, starter := yieldingPool(t, 1)
		want := []bool{false, true, true, false, true, false}
		for _, background := range want {
			inv := invocation("a/1", "1s")
			inv.Background = background
			answered(t, pool, inv)
		}
		if len(starter.all) != 1 {
			t.Fatalf("%d workers", len(starter.all))
		}
		for i, behind := range starter.all[0].began {
			if behind != want[i] {
				t.Errorf("call %d gives way: %v", i, behind)
			}
		}
	})
}

// Beside a call that its caller waits for, one that gives way does so until it has had too little for too long.
func TestACallThatGivesWayIsNotStarved(t *testing.T) {
	for name, row := range map[string]struct {
		part   float64 // of a processor that workers get
		behind bool    // at last
	}{
		"it gets enough":     {1.1 / behindPart, true},
		"it gets too little": {0.9 / behindPart, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool, starter := yieldingPool(t, row.part)
				go func() { _, _ = pool.Invoke(context.WithoutCancel(t.Context()), invocation("b/1", "1m")) }()
				synctest.Wait()
				go func() { _, _ = pool.Invoke(context.WithoutCancel(t.Context()), inBackground("a/1", "1m")) }()
				synctest.Wait()
				of := starter.all[1]
				time.Sleep(behindFor)
				if !of.isBehind() {
					t.Error("it is judged before it was looked at for long enough")
				}
				time.Sleep(time.Second)
				if of.isBehind() != row.behind {
					t.Errorf("it gives way: %v", of.isBehind())
				}
				time.Sleep(time.Minute)
				answered(t, pool, inBackground("a/1", "1s"))
				if !of.isBehind() {
					t.Error("the next one gives way again")
				}
			})
		})
	}
}

// Those of a group that give way do not count beside those of it that do not.
func TestCallsThatGiveWayShareAWeightOfTheirOwn(t *testing.T) {
	now := time.Unix(1000, 0)
	scales := map[*slot]*scale{}
	children := map[bool][]*counted{}
	for behind, n := range map[bool]int{false: 1, true: 8} {
		for range n {
			c := &counted{weight: wholeWeight, used: time.Millisecond}
			children[behind] = append(children[behind], c)
			scales[&slot{}] = &scale{child: c, group: "g", weight: wholeWeight, behind: behind, from: now}
		}
	}
	setWeights(scales, now.Add(weighEvery), burnMemory)
	for behind, all := range children {
		for _, c := range all {
			if c.weight != shareOfWeight(uint(len(all))) {
				t.Errorf("gives way %v: one of %d weighs %d", behind, len(all), c.weight)
			}
		}
	}
}
