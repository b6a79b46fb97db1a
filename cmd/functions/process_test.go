package main

import (
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
const patience = 5 * time.Minute

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
	if fields := strings.Fields(after); len(fields) > statResident {
		return fields
	}
	return nil
}

// The fields that are of interest.
const (
	statState    = 0
	statParent   = 1
	statUserTime = 11
	statThreads  = 17
	statStart    = 19
	statResident = 21 // in pages
)

// parentOf is 0 when pid is gone.
func parentOf(pid int) int {
	stat := procStat(pid)
	if stat == nil {
		return 0
	}
	parent, _ := strconv.Atoi(stat[statParent])
	return parent
}

// alive says whether p runs; one that waits for its parent to hear of its end does not.
func (p procID) alive() bool {
	stat := procStat(p.pid)
	return stat != nil && stat[statStart] == p.start && stat[statState] != "Z"
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
		if stat := procStat(child); stat != nil && stat[statParent] == strconv.Itoa(pid) {
			found = append(found, procID{child, stat[statStart]})
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
	defer process.Release()
	parent := parentOf(child.pid)
	if !child.alive() || !slices.ContainsFunc(parents, func(p procID) bool { return p.pid == parent }) {
		return false
	}
	return process.Signal(sig) == nil
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
	s.discarded = make(chan string, 20)
	go func() {
		for line := range s.logs.next {
			if !strings.Contains(line, "Worker died") || strings.Contains(line, "memory_limit") {
				continue
			}
			select {
			case s.discarded <- line:
			default: // enough
			}
		}
	}()
}

// showDeaths prints the first deaths of workers that the server has logged since discardLogs.
func (s *server) showDeaths(t testing.TB) {
	for {
		select {
		case line := <-s.discarded:
			t.Log(line)
		default:
			return
		}
	}
}
