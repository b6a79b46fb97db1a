package container

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownGroups makes a child start in its own user, mount and cgroup namespaces, where it may mount cgroups. User IDs stay
// the same. Root keeps all of them, so that each worker can have its own; another user keeps its one ID.
func ownGroups(attr *syscall.SysProcAttr) error {
	attr.Cloneflags |= unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP
	// Kept across the exec; becomeServer drops it.
	attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN}
	if os.Geteuid() != 0 {
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getegid(), HostID: os.Getegid(), Size: 1}}
		return nil
	}
	attr.GidMappingsEnableSetgroups = true
	var err error
	if attr.UidMappings, err = sameIDs("/proc/self/uid_map"); err != nil {
		return err
	}
	attr.GidMappings, err = sameIDs("/proc/self/gid_map")
	return err
}

// sameIDs maps each ID of a map file of this user namespace to itself.
func sameIDs(path string) ([]syscall.SysProcIDMap, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var ids []syscall.SysProcIDMap
	for line := range strings.Lines(string(text)) { // "0 100000 65536": first ID inside, first ID outside, count
		fields := strings.Fields(line)
		if len(fields) != 3 {
			return nil, fmt.Errorf("%s: %q is not a mapping", path, line)
		}
		first, err := strconv.Atoi(fields[0])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		size, err := strconv.Atoi(fields[2])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		ids = append(ids, syscall.SysProcIDMap{ContainerID: first, HostID: first, Size: size})
	}
	return ids, nil
}

// becomeServer mounts the cgroups and turns this process, which ownGroups has prepared, into the server. It returns
// only on failure.
func becomeServer(mounts string) error {
	runtime.LockOSThread() // exec uses the capabilities of the calling thread
	groups, err := readOnlyGroups(mounts)
	if err != nil {
		return err
	}
	for _, group := range groups {
		if err := group.cover(); err != nil {
			return explainMount(err)
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("ambient capabilities: %w", err)
	}
	args := append([]string{"functions"}, os.Args[1:]...)
	return fmt.Errorf("exec: %w", syscall.Exec(self, args, os.Environ()))
}
