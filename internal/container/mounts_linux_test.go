package container

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func writeFile(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadOnlyGroupsAreFound(t *testing.T) {
	const (
		root    = "80 79 0:40 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/a"
		tmpfs   = "83 82 0:45 / /sys/fs/cgroup rw,nosuid,nodev,noexec - tmpfs tmpfs rw,mode=755"
		memory  = "84 83 0:29 /docker/1 /sys/fs/cgroup/memory ro,nosuid,nodev,noexec,relatime master:9 - cgroup cgroup rw,memory"
		cpu     = "85 83 0:30 /docker/1 /sys/fs/cgroup/cpu,cpuacct ro,nosuid - cgroup cgroup rw,cpu,cpuacct,release_agent=/bin/x"
		pids    = "86 83 0:31 /docker/1 /sys/fs/cgroup/pids rw,nosuid - cgroup cgroup rw,pids"
		freezer = "87 83 0:32 /docker/1 /sys/fs/cgroup/freezer ro,nosuid - cgroup cgroup rw,freezer"
		hybrid  = "88 83 0:33 / /sys/fs/cgroup/unified ro,nosuid - cgroup2 cgroup2 rw"
		v2      = "84 83 0:29 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate"
		covered = "99 84 0:29 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate"
	)
	for name, test := range map[string]struct {
		lines []string
		want  []mount
	}{
		"version 1": {[]string{root, tmpfs, memory, cpu, pids, freezer, hybrid}, []mount{
			{"/sys/fs/cgroup/memory", "cgroup", "memory"}, {"/sys/fs/cgroup/cpu,cpuacct", "cgroup", "cpu,cpuacct"},
		}},
		"version 2":           {[]string{root, v2}, []mount{{"/sys/fs/cgroup", "cgroup2", ""}}},
		"covered":             {[]string{root, v2, covered}, nil},
		"none":                {[]string{root}, nil},
		"lines of no meaning": {[]string{"", "a - b", "- - - - - - - cgroup cgroup"}, nil},
	} {
		got, err := readOnlyGroups(writeFile(t, test.lines...))
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, test.want)
		}
	}
}

func TestIDsStayWhatTheyAre(t *testing.T) {
	got, err := sameIDs(writeFile(t, "         0       1000          1", "         1     100000      65536"))
	want := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}, {ContainerID: 1, HostID: 1, Size: 65536}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for _, line := range []string{"0 0", "a 0 1", "0 0 b"} {
		if ids, err := sameIDs(writeFile(t, line)); err == nil {
			t.Errorf("%q was read as %v", line, ids)
		}
	}
}
