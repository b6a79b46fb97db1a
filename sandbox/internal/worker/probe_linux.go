package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox/internal/cgroup"
	"github.com/backstage/functions/sandbox/internal/jail"
	"github.com/backstage/functions/sandbox/internal/seccomp"
)

// Probe tries what a pool of cfg would need of this host, whatever its tier. Only Node and Runner of cfg are looked at.
// It makes and removes cgroups like a pool does. It is safe beside pools of the same process.
func Probe(ctx context.Context, cfg Config) []Support {
	var all []Support
	for _, feature := range []struct {
		name string
		try  func() error
		get  string // what to do when it is missing
	}{
		{
			"user namespaces", probeNamespaces,
			"set the sysctls user.max_user_namespaces above 0 and kernel.apparmor_restrict_unprivileged_userns to 0, " +
				"or run as root",
		},
		{"mount API", probeMounts, "Linux 5.12 or newer is needed"},
		{"close_range", probeCloseRange, "Linux 5.11 or newer is needed"},
		{"pidfd", probePidfd, "Linux 5.3 or newer is needed"},
		{
			"system-call filter", probeFilter,
			"the kernel must be built with CONFIG_SECCOMP_FILTER, for a processor that this version knows",
		},
		{"control groups", probeGroups, "run as root, or in a delegated subtree, with /sys/fs/cgroup writable"},
		{
			"Node.js", func() error { _, err := jail.Libraries(ctx, cfg.Node); return err },
			"run make setup, or name a dynamically linked Node.js",
		},
		{
			"fork server", func() error { return built(zygoteAddon(cfg.Runner)) },
			"install a C compiler and run make setup; without it workers start directly",
		},
		{
			"all work that a call leaves is seen", func() error { return built(loopAddon(cfg.Runner)) },
			"install a C compiler and run make setup; without it set WORKER_MAX_INVOCATIONS=1",
		},
	} {
		s := Support{Name: feature.name, OK: true}
		if err := feature.try(); err != nil {
			s.OK, s.Detail = false, fmt.Sprintf("%v: %s", err, feature.get)
		}
		all = append(all, s)
	}
	return all
}

// probeNamespaces starts a program that does not exist in new namespaces: that it cannot be found shows that they could
// be made.
func probeNamespaces() error {
	cmd := exec.Command("/proc/self/none")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC |
			unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	if err := cmd.Start(); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// probeMounts calls without sense: an old kernel says that it does not know the call, any other that the call makes
// none.
func probeMounts() error {
	fd, err := unix.OpenTree(unix.AT_FDCWD, "/", unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return err
	}
	err = unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &unix.MountAttr{})
	if !errors.Is(err, unix.ENOSYS) {
		err = nil
	}
	return errors.Join(err, unix.Close(fd))
}

func probeCloseRange() error {
	const none = ^uint(0) >> 33 // the largest descriptor, which is not open
	return unix.CloseRange(none, none, unix.CLOSE_RANGE_CLOEXEC)
}

func probePidfd() error {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// probeFilter offers the kernel a filter at no address (seccomp(2)) and compiles the worker's.
func probeFilter() error {
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, 0, 0, 0); !errors.Is(err, unix.EFAULT) {
		return fmt.Errorf("seccomp: %w", err)
	}
	_, err := seccomp.Compile(seccomp.Worker())
	return err
}

func probeGroups() error {
	tree, err := cgroup.New("probe")
	if err != nil {
		return err
	}
	return tree.Close()
}
