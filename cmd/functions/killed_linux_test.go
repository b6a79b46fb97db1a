package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// below are the processes below pid, as descriptors of them: pidfd_open(2).
func below(t *testing.T, pid int) (descriptors []int) {
	t.Helper()
	children := map[int][]int{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])) // from the third on: proc_pid_stat(5)
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], child)
	}
	for todo := children[pid]; len(todo) > 0; todo = todo[1:] {
		todo = append(todo, children[todo[0]]...)
		if fd, err := unix.PidfdOpen(todo[0], 0); err == nil {
			t.Cleanup(func() { _ = unix.Close(fd) })
			descriptors = append(descriptors, fd)
		}
	}
	return descriptors
}

// awaitEnd returns when the process behind a descriptor has ended.
func awaitEnd(t *testing.T, pidfd int) {
	t.Helper()
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, 10_000) //nolint:gosec // a small number
	if n != 1 || err != nil {
		t.Errorf("a process below the server has not ended: %d, %v", n, err)
	}
}

// groupsOf are the control groups that a server has made.
func groupsOf(t *testing.T, pid int) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() && filepath.Base(filepath.Dir(path)) == "functions" && strings.Contains(entry.Name(), "-"+strconv.Itoa(pid)+"-") {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestKilledServerLeavesNothingThatTheNextOneDoesNotRemove(t *testing.T) {
	for _, row := range []struct {
		name    string
		signals []syscall.Signal
	}{{"SIGKILL", []syscall.Signal{syscall.SIGKILL}}, {"a second SIGTERM", []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM}}} {
		t.Run(row.name, func(t *testing.T) {
			temp, err := os.MkdirTemp("", "f-") // t.TempDir's is too long for the name of a socket: unix(7)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(temp) })
			s := startServer(t, "TMPDIR="+temp, "POOL_SIZE=4", "CODE_ASYNC_TIMEOUT=60000")
			put(t, s.url+"/functions/kill/f", `function main() {}`, "") // never answers
			for range 3 {
				go func() { _, _, _ = send(http.DefaultClient, http.MethodPut, s.url+"/functions/kill/f/run", "{}") }()
			}
			s.awaitMetric(t, `functions_pool_workers{state="busy"} 3`)
			mounts := mountsOf(t, temp)
			processes := below(t, s.cmd.Process.Pid)
			if len(processes) < 4 || len(groupsOf(t, s.cmd.Process.Pid)) == 0 {
				t.Fatalf("%d processes, groups %v", len(processes), groupsOf(t, s.cmd.Process.Pid))
			}
			for i, signal := range row.signals {
				if i > 0 {
					s.logs.await(t, `(Functions is stopping)`)
				}
				if err := s.cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
			}
			s.logs.rest()
			if err := s.cmd.Wait(); err == nil {
				t.Error("the server ended well")
			}
			for _, process := range processes {
				awaitEnd(t, process)
			}
			ageEntries(t, temp) // the next server leaves alone what may belong to one that is just starting
			startServer(t, "TMPDIR="+temp).stop(t)
			if left := groupsOf(t, s.cmd.Process.Pid); len(left) > 0 {
				t.Errorf("control groups are left: %v", left)
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("files are left: %v, %v", left, err)
			}
			if left := mountsOf(t, temp); left != mounts {
				t.Errorf("mounts are left:\n%s\nbefore there were\n%s", left, mounts)
			}
		})
	}
}

// mountsOf are this machine's mounts below dir: proc_pid_mountinfo(5).
func mountsOf(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var found strings.Builder
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, dir) {
			found.WriteString(line)
		}
	}
	return found.String()
}

func ageEntries(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	for _, entry := range entries {
		if err := os.Chtimes(filepath.Join(dir, entry.Name()), old, old); err != nil {
			t.Fatal(err)
		}
	}
}
