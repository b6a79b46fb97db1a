package worker

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/backstage/functions/sandbox/internal/cgroup"
)

// slots hands out the smallest numbers that are free. It is safe for concurrent use.
type slots struct {
	mu   sync.Mutex // guards used
	used []bool
}

func newSlots() *slots { return &slots{} }

func (s *slots) get() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	slot := slices.Index(s.used, false)
	if slot < 0 {
		slot = len(s.used)
		s.used = append(s.used, false)
	}
	s.used[slot] = true
	return slot
}

func (s *slots) put(slot int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[slot] = false
}

// groups holds a cgroup with the limits of a worker for each slot. One serves the workers of its slot one after
// the other: making and removing it costs more than a fork. It is safe for concurrent use.
type groups struct {
	tree   cgroup.Tree
	limits cgroup.Limits

	mu     sync.Mutex // guards bySlot
	bySlot map[int]*slotGroup
}

// slotGroup is a group and what was counted in it before its present worker.
type slotGroup struct {
	cgroup.Group
	oomKills uint64
	usual    limits // of a worker whose function has none of its own

	mu     sync.Mutex // guards the fields below
	owner  *Process   // whose group it is at the moment
	share  int        // of the weight of a worker by itself
	behind bool       // it counts for less than that: see Process.GiveWay
	weight int        // that it has
	limits limits     // that it has
}

// limits are those that a function may have of its own.
type limits struct {
	memory int64   // bytes
	cpu    float64 // processors
}

// assign makes the group p's, with the weight and the limits of a worker by itself.
func (g *slotGroup) assign(p *Process) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := g.owner == nil
	g.owner, g.share, g.behind = p, cgroup.WholeWeight, false
	if first {
		return nil // as it was made
	}
	return errors.Join(g.setLimitsLocked(g.usual), g.Renew(), g.setWeightLocked())
}

// setLimits gives the group, if it is still p's, the limits of a function; 0 leaves one as it is for every worker.
func (g *slotGroup) setLimits(p *Process, memory int64, cpu float64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.owner != p {
		return nil
	}
	return g.setLimitsLocked(limits{cmp.Or(memory, g.usual.memory), cmp.Or(cpu, g.usual.cpu)})
}

func (g *slotGroup) setLimitsLocked(l limits) error {
	if l == g.limits {
		return nil
	}
	g.limits = limits{} // not known after an error
	err := g.Limit(l.memory, l.cpu)
	if err == nil {
		g.limits = l
	}
	return err
}

// setWeight makes p count as weight beside others, if the group is still p's.
func (g *slotGroup) setWeight(p *Process, weight int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.owner == p {
		g.share = weight
		_ = g.setWeightLocked() // the worker counts for more than its share then, and that is all
	}
}

// giveWay has p count for less than its weight, or no longer, if the group is still p's.
func (g *slotGroup) giveWay(p *Process, behind bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.owner == p && behind != g.behind {
		if g.behind = behind; !behind {
			g.share = cgroup.WholeWeight // whatever those before it shared
		}
		_ = g.setWeightLocked()
	}
}

// behindWeight is what one that gives way counts for, as a divisor.
const behindWeight = 128

func (g *slotGroup) setWeightLocked() error {
	weight := g.share
	if g.behind {
		weight = max(weight/behindWeight, 1)
	}
	if weight == g.weight {
		return nil
	}
	err := g.Weigh(weight)
	if err == nil {
		g.weight = weight
	}
	return err
}

// newGroups makes the groups of a pool.
func newGroups(cfg *Config) (*groups, error) {
	limits := cfg.Limits
	tree, err := cgroup.New(fmt.Sprintf("pool-%d", cfg.index))
	if err == nil && cfg.Memory > 0 {
		if err = tree.Bound(cfg.Memory); err != nil {
			err = errors.Join(fmt.Errorf("a bound on the memory of all workers: %w", err), tree.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("sandbox: limits on workers need control groups: %w", err)
	}
	return &groups{
		tree: tree, bySlot: map[int]*slotGroup{},
		limits: cgroup.Limits{Memory: limits.Memory, CPU: limits.CPU, PIDs: limits.PIDs},
	}, nil
}

// of returns the group of a slot, which its caller has alone. A new one is made outside the lock: other starts go on.
func (g *groups) of(slot int) (*slotGroup, error) {
	g.mu.Lock()
	made, ok := g.bySlot[slot]
	g.mu.Unlock()
	if ok {
		return made, nil
	}
	group, err := g.tree.Group(fmt.Sprintf("slot-%d", slot), g.limits)
	if err != nil {
		return nil, err
	}
	usual := limits{g.limits.Memory, g.limits.CPU}
	made = &slotGroup{Group: group, weight: cgroup.WholeWeight, usual: usual, limits: usual}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bySlot[slot] = made
	return made, nil
}

// close removes all groups; their workers must have been reaped.
func (g *groups) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for _, group := range g.bySlot {
		errs = append(errs, group.Remove())
	}
	clear(g.bySlot)
	return errors.Join(append(errs, g.tree.Close())...)
}

// outOfMemory is the reason for which the kernel has killed the group's present worker for want of memory: at the
// worker's own limit, or below it, because all workers together or the machine had no more. Empty when it did not. What
// cannot be read counts as no: the signal is then all that is known.
func (g *slotGroup) outOfMemory() Reason {
	kills, err := g.OOMKills()
	if err != nil || kills == g.oomKills {
		return ""
	}
	g.oomKills = kills
	if own, err := g.ReachedLimit(); err == nil && !own {
		return ServerMemory
	}
	return Memory
}
