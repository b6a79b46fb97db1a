package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/containerd/cgroups/v3/cgroup1"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// controllers are the version 1 hierarchies that are used. Each takes a write for every start of a worker, so there is
// none that nothing needs: CPU time is read of processes, without cpuacct.
var controllers = []cgroup1.Name{cgroup1.Memory, cgroup1.Cpu, cgroup1.Pids}

type treeV1 struct {
	name string
	// all is the instance's group, which is above those of the tree. What it knows of the mounts is learnt once: to ask
	// for it again for each group would take as long as to make the group.
	all cgroup1.Cgroup
	// weights is the instance's directory in the hierarchy of the controller cpu.
	weights string
	// memory is the instance's directory in the hierarchy of the controller memory.
	memory string
	// swap says whether the kernel accounts swap, so that it can be limited.
	swap bool
	// cpu is the CPU limit of the groups above the tree, in processors; 0 is none.
	cpu  float64
	dirs []string // the instance's directory in each hierarchy
}

func newV1(below, instance, name string) (Tree, error) {
	subsystems, err := hierarchyV1()
	if err != nil {
		return nil, fmt.Errorf("cgroup v1: %w", err)
	}
	tree := &treeV1{name: name}
	path := cgroup1.NestedPath("/" + below)
	for _, s := range subsystems {
		own, err := path(s.Name())
		if err != nil {
			return nil, fmt.Errorf("cgroup v1: %s: %w", s.Name(), err)
		}
		hierarchy, ok := s.(interface{ Path(string) string })
		if !ok {
			return nil, fmt.Errorf("cgroup v1: %s has no path", s.Name())
		}
		dir := hierarchy.Path(own)
		sweep(dir, instance)
		tree.dirs = append(tree.dirs, filepath.Join(dir, instance))
		switch s.Name() {
		case cgroup1.Memory:
			_, err := os.Stat(hierarchy.Path("memory.memsw.limit_in_bytes"))
			tree.swap = err == nil
			tree.memory = filepath.Join(dir, instance)
		case cgroup1.Cpu:
			tree.weights = filepath.Join(dir, instance)
			if tree.cpu, err = cpuAllowed(filepath.Dir(dir)); err != nil {
				return nil, fmt.Errorf("cgroup v1: CPU limit of the server's own group: %w", err)
			}
		}
	}
	// The directory itself bounds nothing; making it shows that groups can be made.
	at := cgroup1.NestedPath("/" + filepath.Join(below, instance))
	tree.all, err = cgroup1.New(at, &specs.LinuxResources{}, cgroup1.WithHierarchy(hierarchyV1))
	if err != nil {
		return nil, explain(fmt.Errorf("cgroup v1: %w", err))
	}
	if below != dirName {
		return tree, nil // no workers: they count as one thread
	}
	if err := weigh(path); err != nil {
		return nil, err
	}
	return tree, nil
}

// weight is what the group of all workers counts for beside other groups and, on version 1, beside each thread that is
// in none: as much as two threads for each processor, or workers would wait for a server whose threads all have work
// because of them. (cpu.shares; one thread has 1024.)
func weight() uint64 { return 2 * 1024 * uint64(runtime.GOMAXPROCS(0)) }

func weigh(path cgroup1.Path) error {
	all, err := cgroup1.Load(path, cgroup1.WithHierarchy(hierarchyV1))
	if err != nil {
		return fmt.Errorf("cgroup v1: %w", err)
	}
	shares := weight()
	if err := all.Update(&specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: &shares}}); err != nil {
		return explain(fmt.Errorf("cgroup v1: %w", err))
	}
	return nil
}

// hierarchyV1 are the mounted ones of controllers.
func hierarchyV1() ([]cgroup1.Subsystem, error) {
	all, err := cgroup1.Default()
	if err != nil {
		return nil, err
	}
	used := slices.DeleteFunc(all, func(s cgroup1.Subsystem) bool { return !slices.Contains(controllers, s.Name()) })
	for _, name := range controllers {
		if !slices.ContainsFunc(used, func(s cgroup1.Subsystem) bool { return s.Name() == name }) {
			return nil, fmt.Errorf("%w: the %s controller is not mounted", ErrUnsupported, name)
		}
	}
	return used, nil
}

func (t *treeV1) Version() int { return 1 }

// Bound implements Tree. Without swap first: the kernel refuses a limit on both that is the lower one.
func (t *treeV1) Bound(memory int64) error {
	err := writeNumber(filepath.Join(t.memory, "memory.limit_in_bytes"), memory)
	if err == nil && t.swap {
		err = writeNumber(filepath.Join(t.memory, "memory.memsw.limit_in_bytes"), memory)
	}
	return explain(err)
}

// Used implements Tree.
func (t *treeV1) Used() (int64, error) {
	return readSize(filepath.Join(t.memory, "memory.usage_in_bytes"))
}

func (t *treeV1) Group(name string, limits Limits) (Group, error) {
	quota, period := t.quota(limits.CPU), uint64(cpuPeriod)
	shares := uint64(WholeWeight * sharesOfWeight)
	resources := &specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: &limits.Memory},
		CPU:    &specs.LinuxCPU{Quota: &quota, Period: &period, Shares: &shares},
		Pids:   &specs.LinuxPids{Limit: &limits.PIDs},
	}
	if t.swap {
		resources.Memory.Swap = &limits.Memory // memory and swap together
	}
	dir := groupName(t.name, name)
	group, err := t.all.New(dir, resources)
	if err != nil {
		return nil, explain(fmt.Errorf("cgroup v1: %w", err))
	}
	memory, cpu := filepath.Join(t.memory, dir), filepath.Join(t.weights, dir)
	g := &groupV1{
		Cgroup: group, tree: t, shares: filepath.Join(cpu, "cpu.shares"), quota: filepath.Join(cpu, "cpu.cfs_quota_us"),
		used:   filepath.Join(memory, "memory.usage_in_bytes"),
		most:   []string{filepath.Join(memory, "memory.max_usage_in_bytes")},
		limits: []string{filepath.Join(memory, "memory.limit_in_bytes")},
	}
	if t.swap {
		g.most = append(g.most, filepath.Join(memory, "memory.memsw.max_usage_in_bytes"))
		g.limits = append(g.limits, filepath.Join(memory, "memory.memsw.limit_in_bytes"))
	}
	g.limit.Store(limits.Memory)
	return g, nil
}

// quota is that of a limit on CPU; none of its own where the limit above it is the lower one, which the kernel demands.
func (t *treeV1) quota(limit float64) int64 {
	quota := cpuQuota(limit)
	if t.cpu > 0 && float64(quota)/float64(cpuPeriod) > t.cpu {
		return unlimited
	}
	return quota
}

func (t *treeV1) Memory() (Memory, error) {
	stat, err := t.all.Stat(cgroup1.IgnoreNotExist)
	if err != nil {
		return Memory{}, fmt.Errorf("cgroup v1: %w", err)
	}
	if stat.Memory == nil || stat.Memory.Usage == nil {
		return Memory{}, errors.New("cgroup v1: no usage of memory")
	}
	return Memory{Total: stat.Memory.Usage.Usage, Anonymous: stat.Memory.TotalRSS}, nil
}

func (t *treeV1) Close() error {
	for _, dir := range t.dirs {
		closeTree(dir, t.name)
	}
	return nil
}

type groupV1 struct {
	cgroup1.Cgroup
	tree   *treeV1
	shares string       // the file that holds its weight
	quota  string       // the file that holds its CPU time in each period
	used   string       // the file that holds what memory it uses
	most   []string     // the files that hold the most memory it has used, without swap and with it
	limits []string     // the files that hold the limits on that
	limit  atomic.Int64 // what they hold
}

// Limit implements Group. The kernel refuses a limit without swap that is over the one with it, so which is written
// first depends on which way they go.
func (g *groupV1) Limit(memory int64, cpu float64) error {
	files := slices.Clone(g.limits)
	if memory > g.limit.Load() {
		slices.Reverse(files)
	}
	for _, file := range files {
		if err := writeNumber(file, memory); err != nil {
			return err
		}
	}
	g.limit.Store(memory)
	return writeNumber(g.quota, g.tree.quota(cpu))
}

// sharesOfWeight is cpu.shares for each unit of weight. The kernel takes 2 to 262144.
const sharesOfWeight = 16

// Weigh implements Group.
func (g *groupV1) Weigh(weight int) error { return writeNumber(g.shares, int64(weight)*sharesOfWeight) }

func (g *groupV1) Add(pid int) error {
	if err := g.AddProc(uint64(pid)); err != nil {
		return fmt.Errorf("cgroup v1: add process: %w", err)
	}
	return nil
}

func (g *groupV1) OOMKills() (uint64, error) {
	stat, err := g.Stat(cgroup1.IgnoreNotExist)
	if err != nil {
		return 0, fmt.Errorf("cgroup v1: %w", err)
	}
	if stat.MemoryOomControl == nil {
		return 0, errors.New("cgroup v1: no memory.oom_control")
	}
	return stat.MemoryOomControl.OomKill, nil
}

// Used implements Group.
func (g *groupV1) Used() (int64, error) { return readSize(g.used) }

// Renew implements Group: a write, of anything, sets the most to what is used now.
func (g *groupV1) Renew() error {
	var errs []error
	for _, file := range g.most {
		errs = append(errs, writeNumber(file, 0))
	}
	return errors.Join(errs...)
}

// nearLimit is how far below its limit a group may be that is killed for it, as the kernel counts several pages at a
// time.
const nearLimit = 1 << 20

// ReachedLimit implements Group. There are counts of failures too (failcnt), but some kernels, such as 6.18, leave them
// at 0.
func (g *groupV1) ReachedLimit() (bool, error) {
	for _, file := range g.most {
		most, err := readSize(file)
		if err != nil || most > g.limit.Load()-nearLimit {
			return err == nil, err
		}
	}
	return false, nil
}

func (g *groupV1) Remove() error {
	if err := g.Delete(); err != nil {
		return fmt.Errorf("cgroup v1: remove: %w", err)
	}
	return nil
}
