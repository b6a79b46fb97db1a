package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/containerd/cgroups/v3/cgroup2"
	"golang.org/x/sys/unix"
)

const mountV2 = "/sys/fs/cgroup"

type treeV2 struct {
	instance string // below the mount point
	name     string
}

func newV2(below, instance, name string) (Tree, error) {
	own, err := cgroup2.NestedGroupPath("")
	if err != nil {
		return nil, fmt.Errorf("cgroup v2: %w", err)
	}
	own = strings.TrimSuffix(own, "/"+leafName) // a tree of this process was there before
	sweep(filepath.Join(mountV2, own, below), instance)
	if err := moveToLeaf(own); err != nil {
		return nil, explain(fmt.Errorf("cgroup v2: %w", err))
	}
	tree := &treeV2{instance: filepath.Join("/", own, below, instance), name: name}
	// The tree itself bounds nothing; a probe with every limit shows that the controllers are there.
	probe, err := tree.Group("probe", Limits{Memory: 64 << 20, CPU: 1, PIDs: 64})
	if err != nil {
		return nil, err
	}
	return tree, probe.Remove()
}

// leafName is the group that this process moves into.
const leafName = "functions-server"

// moveToLeaf moves the processes of own, this one among them, into a leaf of it: a group other than the root that has
// processes of its own cannot give controllers to its children (cgroups(7), "no internal processes" rule).
func moveToLeaf(own string) error {
	// Only the root of the whole hierarchy has no type; that of a cgroup namespace is a group like others.
	if _, err := os.Stat(filepath.Join(mountV2, own, "cgroup.type")); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	leaf := filepath.Join(mountV2, own, leafName)
	if err := os.MkdirAll(leaf, 0o755); err != nil {
		return err
	}
	procs, err := os.ReadFile(filepath.Join(mountV2, own, "cgroup.procs"))
	if err != nil {
		return err
	}
	for _, pid := range strings.Fields(string(procs)) {
		err := os.WriteFile(filepath.Join(leaf, "cgroup.procs"), []byte(pid), 0o644) //nolint:gosec // a kernel file
		if err != nil && !errors.Is(err, unix.ESRCH) {                               // it has ended meanwhile
			return err
		}
	}
	return nil
}

func (t *treeV2) Version() int { return 2 }

// Bound implements Tree.
func (t *treeV2) Bound(memory int64) error {
	dir := filepath.Join(mountV2, t.instance)
	if swap := filepath.Join(dir, "memory.swap.max"); exists(swap) {
		if err := writeNumber(swap, 0); err != nil {
			return explain(err)
		}
	}
	return explain(writeNumber(filepath.Join(dir, "memory.max"), memory))
}

// Used implements Tree.
func (t *treeV2) Used() (int64, error) {
	return readSize(filepath.Join(mountV2, t.instance, "memory.current"))
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func (t *treeV2) Group(name string, limits Limits) (Group, error) {
	quota, period := cpuQuota(limits.CPU), uint64(cpuPeriod)
	dir := filepath.Join(t.instance, groupName(t.name, name))
	weight := uint64(weightV2(WholeWeight))
	manager, err := cgroup2.NewManager(mountV2, dir, &cgroup2.Resources{
		Memory: &cgroup2.Memory{Max: &limits.Memory},
		CPU:    &cgroup2.CPU{Max: cgroup2.NewCPUMax(&quota, &period), Weight: &weight},
		Pids:   &cgroup2.Pids{Max: limits.PIDs},
	})
	if err != nil {
		return nil, explain(fmt.Errorf("cgroup v2: %w", err))
	}
	// Where the kernel accounts swap at all, none of it: the limit on memory is then the whole of it.
	if exists(filepath.Join(mountV2, dir, "memory.swap.max")) {
		var noSwap int64
		if err := manager.Update(&cgroup2.Resources{Memory: &cgroup2.Memory{Swap: &noSwap}}); err != nil {
			return nil, errors.Join(fmt.Errorf("cgroup v2: %w", err), manager.Delete())
		}
	}
	in := filepath.Join(mountV2, dir)
	return &groupV2{
		Manager: manager, weight: filepath.Join(in, "cpu.weight"), used: filepath.Join(in, "memory.current"),
		events: filepath.Join(in, "memory.events"), memory: filepath.Join(in, "memory.max"),
		quota: filepath.Join(in, "cpu.max"),
	}, nil
}

func (t *treeV2) Memory() (Memory, error) {
	instance, err := cgroup2.Load(t.instance)
	if err != nil {
		return Memory{}, fmt.Errorf("cgroup v2: %w", err)
	}
	stat, err := instance.Stat()
	if err != nil {
		return Memory{}, fmt.Errorf("cgroup v2: %w", err)
	}
	if stat.Memory == nil {
		return Memory{}, errors.New("cgroup v2: no usage of memory")
	}
	return Memory{Total: stat.Memory.Usage, Anonymous: stat.Memory.Anon}, nil
}

func (t *treeV2) Close() error {
	closeTree(filepath.Join(mountV2, t.instance), t.name)
	return nil
}

type groupV2 struct {
	*cgroup2.Manager
	weight string // the file that holds its weight
	used   string // the file that holds what memory it uses
	events string // the file that counts what happened at its limits
	memory string // the file that holds its limit on memory
	quota  string // the file that holds its CPU time in each period
	ooms   uint64 // what that said at Renew
}

// weightV2 is cpu.weight: 10000 is the most that the kernel takes.
func weightV2(weight int) int64 { return int64(max(weight*10_000/WholeWeight, 1)) }

// Limit implements Group. Where more memory is in use than is to be allowed the kernel kills instead of refusing
// (memory.max in Documentation/admin-guide/cgroup-v2.rst).
func (g *groupV2) Limit(memory int64, cpu float64) error {
	if err := writeNumber(g.memory, memory); err != nil {
		return err
	}
	text := strconv.AppendInt(nil, cpuQuota(cpu), 10)
	text = strconv.AppendInt(append(text, ' '), cpuPeriod, 10)
	if err := os.WriteFile(g.quota, text, 0o644); err != nil { //nolint:gosec // a kernel file
		return fmt.Errorf("cgroup: %w", err)
	}
	return nil
}

// Weigh implements Group.
func (g *groupV2) Weigh(weight int) error { return writeNumber(g.weight, weightV2(weight)) }

func (g *groupV2) Add(pid int) error {
	if err := g.AddProc(uint64(pid)); err != nil {
		return fmt.Errorf("cgroup v2: add process: %w", err)
	}
	return nil
}

func (g *groupV2) OOMKills() (uint64, error) {
	stat, err := g.Stat()
	if err != nil {
		return 0, fmt.Errorf("cgroup v2: %w", err)
	}
	if stat.MemoryEvents == nil {
		return 0, errors.New("cgroup v2: no memory.events")
	}
	return stat.MemoryEvents.OomKill, nil
}

// Used implements Group.
func (g *groupV2) Used() (int64, error) { return readSize(g.used) }

// Renew implements Group.
func (g *groupV2) Renew() (err error) {
	g.ooms, err = g.countOOMs()
	return err
}

// ReachedLimit implements Group.
func (g *groupV2) ReachedLimit() (bool, error) {
	ooms, err := g.countOOMs()
	return ooms != g.ooms, err
}

// countOOMs counts the charges that failed at this very limit: "oom" of memory.events.
func (g *groupV2) countOOMs() (uint64, error) {
	text, err := os.ReadFile(g.events)
	if err != nil {
		return 0, fmt.Errorf("cgroup v2: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if count, ok := strings.CutPrefix(line, "oom "); ok {
			return strconv.ParseUint(strings.TrimSpace(count), 10, 64)
		}
	}
	return 0, errors.New("cgroup v2: memory.events has no oom")
}

func (g *groupV2) Remove() error {
	if err := g.Delete(); err != nil {
		return fmt.Errorf("cgroup v2: remove: %w", err)
	}
	return nil
}
