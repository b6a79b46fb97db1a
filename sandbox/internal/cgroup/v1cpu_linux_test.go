package cgroup

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/containerd/cgroups/v3"
	"github.com/containerd/cgroups/v3/cgroup1"
)

// ownCPUGroup is the directory of this process's group in the cpu hierarchy of version 1.
func ownCPUGroup(t *testing.T) string {
	t.Helper()
	subsystems, err := hierarchyV1()
	check(t, err)
	own, err := cgroup1.NestedPath("")(cgroup1.Cpu)
	check(t, err)
	for _, s := range subsystems {
		if hierarchy, ok := s.(interface{ Path(string) string }); ok && s.Name() == cgroup1.Cpu {
			return hierarchy.Path(own)
		}
	}
	t.Fatal("no cpu hierarchy")
	return ""
}

// inAGroup moves this process into a group of its own, with quota per 100 ms of CPU time, until the test ends.
func inAGroup(t *testing.T, quota string) {
	t.Helper()
	above := ownCPUGroup(t)
	dir := filepath.Join(above, "functions-test")
	check(t, os.Mkdir(dir, 0o755))
	move := func(to string) {
		check(t, os.WriteFile(filepath.Join(to, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0o644))
	}
	t.Cleanup(func() {
		move(above)
		_ = os.Remove(filepath.Join(dir, dirName))
		check(t, os.Remove(dir))
	})
	check(t, os.WriteFile(filepath.Join(dir, "cpu.cfs_period_us"), []byte("100000"), 0o644))
	check(t, os.WriteFile(filepath.Join(dir, "cpu.cfs_quota_us"), []byte(quota), 0o644))
	move(dir)
}

// A container may have less CPU than one worker: its limit holds then. Version 1 refuses a group more than the one above it has.
func TestALowerCPULimitAboveTheTreeHolds(t *testing.T) {
	if cgroups.Mode() == cgroups.Unified {
		newGroup(t, Limits{Memory: 64 << 20, CPU: 1 << 10, PIDs: 24}) // version 2 does not mind
		return
	}
	inAGroup(t, "30000")
	tree, err := New("test")
	check(t, err)
	defer func() { check(t, tree.Close()) }()
	for limit, want := range map[float64]string{0.25: "5000", 0.3: "6000", 0.5: "-1", 2: "-1"} {
		group, err := tree.Group("worker-1", Limits{Memory: 64 << 20, CPU: limit, PIDs: 24})
		check(t, err)
		quotas, err := filepath.Glob(filepath.Join(ownCPUGroup(t), dirName, "*", "worker-1-test", "cpu.cfs_quota_us"))
		check(t, err)
		if len(quotas) != 1 {
			t.Fatalf("found %q", quotas)
		}
		text, err := os.ReadFile(quotas[0])
		check(t, err)
		if got := strings.TrimSpace(string(text)); got != want {
			t.Errorf("a limit of %v processors became %s, want %s", limit, got, want)
		}
		check(t, group.Remove())
	}
}
