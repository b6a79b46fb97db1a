package config

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// memoryGroups are where control groups are mounted, v2 and v1, and the file with a group's limit.
var memoryGroups = []struct{ mount, file string }{
	{"/sys/fs/cgroup", "memory.max"},
	{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
}

// cgroupLimits are where the limits of this process may stand: those of its own group, as a service has it, and of all above, up to the
// root, which in a container is its own. Membership is the text of /proc/self/cgroup, see cgroups(7).
func cgroupLimits(membership string) []string {
	var files []string
	for i, group := range memoryGroups {
		files = append(files, filepath.Join(group.mount, group.file))
		for line := range strings.Lines(membership) {
			parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
			if len(parts) < 3 || i == 0 && parts[0] != "0" || i == 1 && !slices.Contains(strings.Split(parts[1], ","), "memory") {
				continue
			}
			for dir := filepath.Clean("/" + parts[2]); dir != "/" && dir != "."; dir = filepath.Dir(dir) {
				files = append(files, filepath.Join(group.mount, dir, group.file))
			}
		}
	}
	return files
}

// usableMemory is the machine's memory or the limit of the container, whichever is less.
func usableMemory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	memory := int64(info.Totalram) * int64(info.Unit) //nolint:unconvert // Totalram is 32 bits wide on some machines
	membership, _ := os.ReadFile("/proc/self/cgroup") // without it the root's limit is all that is known
	for _, path := range cgroupLimits(string(membership)) {
		if limit, ok := readLimit(path); ok {
			memory = min(memory, limit)
		}
	}
	return memory
}

// readLimit reads a limit in bytes; "max" is none, and so is a file that is not there.
func readLimit(path string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return limit, err == nil && limit > 0
}
