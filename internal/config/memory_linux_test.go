package config

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestContainerLimitsAreRead(t *testing.T) {
	if memory := usableMemory(); memory < 1<<20 {
		t.Errorf("this machine has %d bytes of memory", memory)
	}
	path := filepath.Join(t.TempDir(), "memory.max")
	for text, want := range map[string]int64{"1073741824\n": 1 << 30, "max\n": 0, "0": 0, "-1": 0, "": 0} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		limit, ok := readLimit(path)
		if ok != (want > 0) || ok && limit != want {
			t.Errorf("%q is read as %d, %v", text, limit, ok)
		}
	}
	if _, ok := readLimit(path + ".none"); ok {
		t.Error("a file that is not there has a limit")
	}
}

func TestTheLimitsOfAllGroupsAboveAreRead(t *testing.T) {
	for membership, want := range map[string][]string{
		"": {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"},
		"0::/system.slice/functions.service\n": {
			"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/system.slice/functions.service/memory.max", "/sys/fs/cgroup/system.slice/memory.max",
			"/sys/fs/cgroup/memory/memory.limit_in_bytes",
		},
		"5:cpu,memory:/a\n4:pids:/b\n0::/\n": {
			"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
		},
		"nonsense\n0::../x\n": {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/x/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"},
	} {
		if got := cgroupLimits(membership); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", membership, got, want)
		}
	}
}
