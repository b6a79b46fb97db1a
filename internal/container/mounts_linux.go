package container

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// mountInfo lists the mounts of this process: proc_pid_mountinfo(5).
const mountInfo = "/proc/self/mountinfo"

// groupsRoot is where cgroups are mounted.
const groupsRoot = "/sys/fs/cgroup"

// controllers are those of version 1 that limit workers.
var controllers = []string{"memory", "cpu", "pids"}

// mount is one cgroup hierarchy.
type mount struct {
	point, kind string // kind is cgroup for version 1, cgroup2
	options     string // the controllers, for version 1
}

// readOnlyGroups lists the hierarchies in a mountinfo file that workers need and that are mounted read-only.
func readOnlyGroups(path string) ([]mount, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var found []mount
	for line := range strings.Lines(string(text)) {
		m, readOnly, ok := parseMount(line)
		if !ok || !m.needed() {
			continue
		}
		// A later mount at the same point covers an earlier one.
		found = slices.DeleteFunc(found, func(earlier mount) bool { return earlier.point == m.point })
		if readOnly {
			found = append(found, m)
		}
	}
	return found, nil
}

// parseMount reads "84 83 0:29 /docker/ID /sys/fs/cgroup/cpu ro,nosuid - cgroup cgroup rw,cpu", with any number of
// fields before the dash.
func parseMount(line string) (m mount, readOnly, ok bool) {
	before, after, _ := strings.Cut(line, " - ")
	left, right := strings.Fields(before), strings.Fields(after)
	if len(left) < 6 || len(right) < 3 {
		return mount{}, false, false
	}
	m = mount{point: left[4], kind: right[0]}
	if m.kind == "cgroup" {
		known := slices.DeleteFunc(strings.Split(right[2], ","), func(option string) bool {
			return option == "rw" || option == "ro" || strings.HasPrefix(option, "release_agent=")
		})
		m.options = strings.Join(known, ",")
	}
	return m, slices.Contains(strings.Split(left[5], ","), "ro"), true
}

func (m mount) needed() bool {
	switch m.kind {
	case "cgroup2":
		return m.point == groupsRoot
	case "cgroup":
		return slices.ContainsFunc(strings.Split(m.options, ","),
			func(option string) bool { return slices.Contains(controllers, option) })
	}
	return false
}

// cover mounts the hierarchy again over its read-only mount. In a cgroup namespace its root is the group in which the
// namespace was created. On version 1 this works for a hierarchy that exists already; a mount of version 2 has no
// options here.
func (m mount) cover() error {
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	// The kernel refuses to mount a file system directly over itself, so an empty one is mounted in between.
	if err := unix.Mount("none", m.point, "tmpfs", flags|unix.MS_RDONLY, "nr_inodes=1"); err != nil {
		return fmt.Errorf("mount tmpfs at %s: %w", m.point, err)
	}
	if err := unix.Mount("cgroup", m.point, m.kind, flags, m.options); err != nil {
		return fmt.Errorf("mount %s at %s: %w", m.kind, m.point, err)
	}
	return nil
}
