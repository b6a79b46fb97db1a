package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds the wait for what must come about; only a broken server makes a test wait that long.
const patience = 60 * time.Second

// eventually returns when done says so; it fails t, saying what was waited for, when that does not happen.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	eventuallyOr(t, done, func() string { return what })
}

// eventuallyOr is eventually with a text that is made when it is needed.
func eventuallyOr(t testing.TB, done func() bool, what func() string) {
	t.Helper()
	timeout := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-timeout:
			t.Fatalf("waited %v for %s", patience, what())
		case <-tick.C:
		}
	}
}

// procID is a process that cannot be taken for a later one of the same number.
type procID struct {
	pid   int
	start string // since boot, in ticks
}

// procStat reads the fields of /proc/PID/stat after the name: proc(5), from "state" on. A process that is gone has none.
func procStat(pid int) []string {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return nil
	}
	_, after, _ := strings.Cut(string(text), ") ")
	return strings.Fields(after)
}

// parentOf is 0 when pid is gone.
func parentOf(pid int) int {
	stat := procStat(pid)
	if len(stat) < 20 {
		return 0
	}
	parent, _ := strconv.Atoi(stat[1])
	return parent
}

func (p procID) alive() bool {
	stat := procStat(p.pid)
	return len(stat) >= 20 && stat[19] == p.start
}

// childrenOf are the processes that pid has started and not reaped.
func childrenOf(pid int) []procID {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []procID
	for _, entry := range entries {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if stat := procStat(child); len(stat) >= 20 && stat[1] == strconv.Itoa(pid) {
			found = append(found, procID{child, stat[19]})
		}
	}
	return found
}

// zygotes are the server's own children, and workers theirs.
func (s *server) zygotes() []procID { return childrenOf(s.cmd.Process.Pid) }

func (s *server) workers() []procID {
	var all []procID
	for _, zygote := range s.zygotes() {
		all = append(all, childrenOf(zygote.pid)...)
	}
	return all
}

// signalChild sends sig to child if it still is a child of one of parents, and says whether it was. The process is held by a pidfd, so
// that no other can be hit.
func signalChild(child procID, parents []procID, sig os.Signal) bool {
	process, err := os.FindProcess(child.pid)
	if err != nil {
		return false
	}
	defer process.Release() //nolint:errcheck // it holds a descriptor only
	parent := parentOf(child.pid)
	if !child.alive() || !slices.ContainsFunc(parents, func(p procID) bool { return p.pid == parent }) {
		return false
	}
	return process.Signal(sig) == nil
}

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
	if stat := procStat(pid); len(stat) >= 22 {
		f.threads, _ = strconv.Atoi(stat[17])
		pages, _ := strconv.ParseInt(stat[21], 10, 64)
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

// groupsOf are the control groups of the server with the given PID: it is part of their path.
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

// stopEmpty stops the server and fails t unless all that it had is gone: processes and control groups.
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

// kill ends the server as a crash would.
func (s *server) kill(t testing.TB) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.logs.rest()
	_ = s.cmd.Wait() // it was killed
}

// discardLogs lets the server write as much as it likes. Of what it writes from now on only what tells of unexpected deaths is kept, for
// showDeaths.
func (s *server) discardLogs() {
	s.kept = make(chan string, 20)
	go func() {
		for line := range s.logs.next {
			if !strings.Contains(line, "Worker died") || strings.Contains(line, "memory_limit") {
				continue
			}
			select {
			case s.kept <- line:
			default: // enough
			}
		}
	}()
}

// showDeaths prints the first deaths of workers that the server has logged since discardLogs.
func (s *server) showDeaths(t testing.TB) {
	for {
		select {
		case line := <-s.kept:
			t.Log(line)
		default:
			return
		}
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
