package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// footprint is what a server takes of the system.
type footprint struct {
	processes, threads, groups int
	descriptors                []string // what they refer to, as the kernel names it
	memory                     int64    // of the server alone, resident bytes
}

func (f footprint) String() string {
	return fmt.Sprintf("%d processes, %d threads, %d descriptors, %d cgroups, %d MB",
		f.processes, f.threads, len(f.descriptors), f.groups, f.memory>>20)
}

func (s *server) footprint() footprint {
	pid := s.cmd.Process.Pid
	f := footprint{processes: 1 + len(s.zygotes()) + len(s.workers()), groups: len(groupsOf(pid))}
	if stat := procStat(pid); stat != nil {
		f.threads, _ = strconv.Atoi(stat[statThreads])
		pages, _ := strconv.ParseInt(stat[statResident], 10, 64)
		f.memory = pages * int64(os.Getpagesize())
	}
	links, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "fd", "*"))
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil { // else it was closed meanwhile
			f.descriptors = append(f.descriptors, target)
		}
	}
	return f
}

// wantNoMoreDescriptors waits until s has no more descriptors open than when f was taken.
func (f footprint) wantNoMoreDescriptors(t testing.TB, s *server) {
	t.Helper()
	var now footprint
	eventuallyOr(t, func() bool {
		now = s.footprint()
		return len(now.descriptors) <= len(f.descriptors)
	}, func() string {
		return fmt.Sprintf("descriptors to be closed: %d are open, %q, before %d, %q",
			len(now.descriptors), now.descriptors, len(f.descriptors), f.descriptors)
	})
}

// groupsOf are the cgroups of the server with the given PID: it is part of their path.
func groupsOf(pid int) []string {
	mark := "-" + strconv.Itoa(pid) + "-"
	var groups []string
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && strings.Contains(path, "/functions/") && strings.Contains(path, mark) {
			groups = append(groups, path)
		}
		return nil // what vanishes meanwhile is not there
	})
	return groups
}

// stopEmpty stops the server and fails t unless all that it had is gone: processes and cgroups.
func (s *server) stopEmpty(t testing.TB) {
	t.Helper()
	left := append(s.zygotes(), s.workers()...)
	s.stop(t)
	eventually(t, "the end of the server's processes", func() bool {
		return !slices.ContainsFunc(left, procID.alive)
	})
	if groups := groupsOf(s.cmd.Process.Pid); len(groups) > 0 {
		t.Errorf("control groups are left: %q", groups)
	}
}

// atRest closes the connections of l, waits until the server has nothing but a zygote and its prewarmed workers, and returns its
// footprint then. Workers must be set to end soon when nobody calls them.
func (s *server) atRest(t testing.TB, l *load, prewarmed int) footprint {
	t.Helper()
	var f footprint
	eventually(t, "the pool to come to rest", func() bool {
		l.client.CloseIdleConnections()
		f = s.footprint()
		return f.processes == 1+1+prewarmed
	})
	return f
}
