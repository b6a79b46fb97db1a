package config

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroupLimits are where a container sees its own memory limit: cgroup v2, then v1.
var cgroupLimits = []string{
	"/sys/fs/cgroup/memory.max",
	"/sys/fs/cgroup/memory/memory.limit_in_bytes",
}

// usableMemory is the machine's memory or the limit of the container, whichever is less.
func usableMemory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	memory := int64(info.Totalram) * int64(info.Unit) //nolint:unconvert // Totalram is 32 bits wide on some machines
	for _, path := range cgroupLimits {
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
