package worker

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestContainerLimitsAreRead(t *testing.T) {
	if total, left := MachineMemory(); total < 1<<20 || left < 1 || left > total {
		t.Errorf("this machine has %d bytes of memory, %d left", total, left)
	}
	path := filepath.Join(t.TempDir(), "memory.max")
	for text, want := range map[string]int64{"1073741824\n": 1 << 30, "max\n": 0, "0": 0, "-1": 0, "": 0} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := readCount(path); got != want {
			t.Errorf("%q is read as %d", text, got)
		}
	}
	if got := readCount(path + ".none"); got != 0 {
		t.Errorf("a file that is not there has the limit %d", got)
	}
}

func TestLinesOfTheKernelAreRead(t *testing.T) {
	text := []byte("MemTotal:  24 kB\ninactive_file 7\ntotal_inactive_file 9\nbroken\nMemAvailable:\n")
	for name, want := range map[string]int64{"MemTotal:": 24, "inactive_file ": 7, "total_inactive_file ": 9, "MemAvailable:": 0, "none": 0} {
		if got := lineOf(text, name); got != want {
			t.Errorf("%s is read as %d", name, got)
		}
	}
}

func TestTheLimitsOfAllGroupsAboveAreRead(t *testing.T) {
	for membership, want := range map[string][]string{
		"": {"/sys/fs/cgroup", "/sys/fs/cgroup/memory"},
		"0::/system.slice/functions.service\n": {
			"/sys/fs/cgroup", "/sys/fs/cgroup/system.slice/functions.service", "/sys/fs/cgroup/system.slice", "/sys/fs/cgroup/memory",
		},
		"5:cpu,memory:/a\n4:pids:/b\n0::/\n": {"/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/a"},
		"nonsense\n0::../x\n":                {"/sys/fs/cgroup", "/sys/fs/cgroup/x", "/sys/fs/cgroup/memory"},
	} {
		var got []string
		for _, group := range groupsAbove(membership, "memory") {
			got = append(got, group.dir)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", membership, got, want)
		}
	}
}
