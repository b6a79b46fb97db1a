//go:build linux && amd64

package sandbox_test

import (
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// An idle worker that is put back has little memory that others have not: most pages are those of its fork server, and
// taking a snapshot of them makes no copies. The bounds are a fifth and more above what was found, far below the 23 to
// 28 MB that there are without that: memory of the worker's own by proc_pid_smaps_rollup(5), and what this process, in
// the place of the server, has more for each.
func TestIdleWorkersThatArePutBackTakeLittleMemory(t *testing.T) {
	const first, more = 3, 20
	onEveryVersion(t, func(t *testing.T, v version) {
		observer := newRolledBack(t)
		pool := newRealPool(t, func(c *sandbox.Config) {
			c.Size, c.Prewarmed, c.IdleTimeout = first+more+1, 0, time.Hour
			c.Node, c.Observer = v.binary(t), observer
		})
		needRollback(t, pool)
		serve := func(from, to int) {
			for i := from; i < to; i++ {
				inv := rolledBackInvocation(fmt.Sprintf("idle %d", i), hello)
				for range 3 {
					if _, err := pool.Invoke(t.Context(), inv); err != nil {
						t.Fatal(err)
					}
					if cause := <-observer.causes; cause != "" {
						t.Fatalf("a worker ends: %s", cause)
					}
				}
			}
		}
		serve(0, first) // which brings the fork server, and the snapshot that others have in common with theirs
		before, server := processesBelow(t), ownMemory(t, os.Getpid())
		serve(first, first+more)
		share := (ownMemory(t, os.Getpid()) - server) / more
		var sum, most, tables int
		workers := slices.Collect(maps.Keys(processesBelow(t)))
		workers = slices.DeleteFunc(workers, func(pid int) bool { _, old := before[pid]; return old })
		for _, pid := range workers {
			private := ownMemory(t, pid)
			sum, most = sum+private, max(most, private)
			tables += kibibytes(t, pid, "status", "VmPTE")
		}
		if len(workers) != more {
			t.Fatalf("%d workers, not %d", len(workers), more)
		}
		t.Logf("memory of a worker's own: %d KiB, at most %d; the server's share: %d; page tables: %d",
			sum/more, most, share, tables/more)
		if bound := 2048; most > bound {
			t.Errorf("a worker has %d KiB of its own, more than %d", most, bound)
		}
		if bound := 1536; tables/more > bound { // 2,352 with Node.js 24 where what is not there is protected
			t.Errorf("a worker has page tables of %d KiB, more than %d", tables/more, bound)
		}
		if bound := 1024; share > bound {
			t.Errorf("the server has %d KiB for each worker, more than %d", share, bound)
		}
	})
}

// ownMemory is the memory in KiB that a process has and no other. What this one has free is given back before.
func ownMemory(tb testing.TB, pid int) int {
	tb.Helper()
	if pid == os.Getpid() {
		debug.FreeOSMemory()
	}
	return kibibytes(tb, pid, "smaps_rollup", "Private_Clean") + kibibytes(tb, pid, "smaps_rollup", "Private_Dirty")
}

// kibibytes is a line of a file of /proc/PID.
func kibibytes(tb testing.TB, pid int, file, name string) int {
	tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		tb.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n"+name+":")
	fields := strings.Fields(rest)
	if !found || len(fields) == 0 {
		tb.Fatalf("%s of %d has no %s", file, pid, name)
	}
	n, err := strconv.Atoi(fields[0])
	if err != nil {
		tb.Fatal(err)
	}
	return n
}
