package worker

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// accounts are the names of the files of a cgroup, of each version, about memory.
var accounts = [...]struct{ limit, usage, cache string }{
	{"memory.max", "memory.current", "inactive_file "},
	{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "},
}

// groupAbove is a cgroup that this process is in: its directory, and 0 for version 2 of the interface, 1 for
// version 1.
type groupAbove struct {
	dir     string
	version int
}

// groupsAbove are those that may bound this process by a controller: its own, as a service has it, and all above, up to
// the root, which in a container is its own. Membership is the text of /proc/self/cgroup, see cgroups(7).
func groupsAbove(membership, controller string) []groupAbove {
	const mount = "/sys/fs/cgroup"
	var all []groupAbove
	for version, root := range [...]string{mount, filepath.Join(mount, controller)} {
		all = append(all, groupAbove{root, version})
		for line := range strings.Lines(membership) {
			parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
			if len(parts) < 3 || version == 0 && parts[0] != "0" ||
				version == 1 && !slices.Contains(strings.Split(parts[1], ","), controller) {
				continue
			}
			for dir := filepath.Clean("/" + parts[2]); dir != "/" && dir != "."; dir = filepath.Dir(dir) {
				all = append(all, groupAbove{filepath.Join(root, dir), version})
			}
		}
	}
	return all
}

// ownMembership is that of this process at its start. It may move into a leaf of its group afterwards, which bounds
// nothing.
var ownMembership = sync.OnceValue(func() string {
	text, _ := os.ReadFile("/proc/self/cgroup") // without it the root's limit is all that is known
	return string(text)
})

// MachineMemory is what this process and others may use, in bytes: the machine's memory or the limit of the container
// or service, whichever is less; and how much of that is left, what the kernel keeps of files counted as left. 0 stands
// for what is not known.
func MachineMemory() (total, left int64) {
	info, err := os.ReadFile("/proc/meminfo") // proc_meminfo(5)
	if err != nil {
		return 0, 0
	}
	total, left = lineOf(info, "MemTotal:")<<10, lineOf(info, "MemAvailable:")<<10
	for _, group := range groupsAbove(ownMembership(), "memory") {
		files := accounts[group.version]
		limit := readCount(filepath.Join(group.dir, files.limit))
		if limit == 0 || limit >= math.MaxInt64/2 {
			continue
		}
		stat, _ := os.ReadFile(filepath.Join(group.dir, "memory.stat")) // else the kernel keeps nothing
		room := limit - readCount(filepath.Join(group.dir, files.usage)) + lineOf(stat, files.cache)
		total, left = min(total, limit), min(left, max(room, 1))
	}
	return total, left
}

// MachineTasks is how many processes and threads this user may have on this machine, or in this container or service. 0
// stands for what is not known.
func MachineTasks() int64 {
	limits := []int64{readCount("/proc/sys/kernel/pid_max"), readCount("/proc/sys/kernel/threads-max")}
	for _, group := range groupsAbove(ownMembership(), "pids") {
		limits = append(limits, readCount(filepath.Join(group.dir, "pids.max")))
	}
	var own unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &own); err == nil && own.Cur < math.MaxInt64 {
		limits = append(limits, int64(own.Cur))
	}
	limits = slices.DeleteFunc(limits, func(limit int64) bool { return limit == 0 })
	if len(limits) == 0 {
		return 0
	}
	return slices.Min(limits)
}

// readCount reads a number; 0 stands for "max", which is no limit, and for a file that is not there.
func readCount(path string) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0
	}
	return max(n, 0)
}

// lineOf is the number in the line of text that begins with name; 0 when there is none.
func lineOf(text []byte, name string) int64 {
	for line := range bytes.Lines(text) {
		if value, ok := bytes.CutPrefix(line, []byte(name)); ok {
			fields := bytes.Fields(value)
			if len(fields) == 0 {
				return 0
			}
			n, _ := strconv.ParseInt(string(fields[0]), 10, 64)
			return n
		}
	}
	return 0
}
