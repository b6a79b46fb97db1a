package sandbox

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// burner is a child that uses a processor all the time.
type burner struct {
	child
	born time.Time

	mu     sync.Mutex // guards the field below
	weight int
}

func (b *burner) cpuUsed() time.Duration { return time.Since(b.born) }

func (b *burner) weigh(weight int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.weight = weight
}

func (b *burner) giveWay(bool) {}

type burnerStarter struct{ sharedStarter }

func (s burnerStarter) start(ctx context.Context) (child, error) {
	c, err := s.sharedStarter.start(ctx)
	return &burner{child: c, born: time.Now(), weight: wholeWeight}, err
}

// weightsOf are those of the workers of p that serve group.
func weightsOf(p *runtimePool, group string) (all []int) {
	p.scheduler.mu.Lock()
	defer p.scheduler.mu.Unlock()
	for w := range p.scheduler.workers {
		if b := w.child.(*burner); w.serving && w.group == group {
			b.mu.Lock()
			all = append(all, b.weight)
			b.mu.Unlock()
		}
	}
	return all
}

// One pool weighs for all of the house. Whichever it is, its end leaves that to another.
func TestWorkersOfOneGroupInTwoRuntimesShareTheWeightOfOne(t *testing.T) {
	for closed := range 2 {
		synctest.Test(t, func(t *testing.T) {
			cfg := fakeConfig(8, 1)
			shared := newBudget()
			starter := burnerStarter{sharedStarter{&fakeStarter{startTime: 5 * time.Millisecond, reapTime: time.Millisecond}}}
			var pools []*runtimePool
			for range 2 {
				pool, err := newPool(t.Context(), cfg, starter, shared)
				if err != nil {
					t.Fatal(err)
				}
				defer pool.Close()
				pools = append(pools, pool)
			}
			want := func(pool *runtimePool, group string, want ...int) {
				t.Helper()
				time.Sleep(100 * time.Millisecond)
				if got := weightsOf(pool, group); !slices.Equal(got, want) {
					t.Errorf("the workers of %s weigh %v, want %v", group, got, want)
				}
			}
			gone, left := pools[closed], pools[1-closed]
			hold(t, gone, 1, "a", "1s")
			want(gone, "a", wholeWeight)
			hold(t, left, 1, "a", "3s")
			hold(t, left, 1, "b", "3s")
			want(gone, "a", wholeWeight/2)
			want(left, "a", wholeWeight/2)
			want(left, "b", wholeWeight)
			if err := gone.Close(); err != nil {
				t.Error(err)
			}
			want(left, "a", wholeWeight)
			hold(t, left, 2, "b", "1s")
			want(left, "b", wholeWeight/4, wholeWeight/4, wholeWeight/4)
		})
	}
}
