package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

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
			s := startServer(t, "TMPDIR="+temp, "POOL_SIZE=4")
			put(t, s.url+"/functions/kill/f", `function main() {}`, "") // never answers
			for range 3 {
				go func() { send(http.DefaultClient, http.MethodPut, s.url+"/functions/kill/f/run", "{}") }()
			}
			s.awaitMetric(t, `functions_pool_workers{state="busy"} 3`)
			mounts := mountsOf(t, temp)
			processes := append(s.zygotes(), s.workers()...)
			if len(processes) < 4 || len(groupsOf(s.cmd.Process.Pid)) == 0 {
				t.Fatalf("%d processes, groups %v", len(processes), groupsOf(s.cmd.Process.Pid))
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
			eventually(t, "the end of the server's processes", func() bool { return !slices.ContainsFunc(processes, procID.alive) })
			ageEntries(t, temp) // the next server leaves alone what may belong to one that is just starting
			startServer(t, "TMPDIR="+temp).stop(t)
			if left := groupsOf(s.cmd.Process.Pid); len(left) > 0 {
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
