//go:build linux && amd64

package sandbox_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// BenchmarkPutBack measures calls through the pool, without HTTP, in workers that have served others and in workers
// that are put back after each, and what of the processor they take: of this program and of its workers.
func BenchmarkPutBack(b *testing.B) {
	for _, callers := range []int{1, 16} {
		for _, putBack := range []bool{false, true} {
			b.Run(fmt.Sprintf("callers=%d/putback=%v", callers, putBack), func(b *testing.B) {
				pool := newRealPool(b, nil)
				inv := invocation("hello", hello)
				if inv.Rollback = putBack; putBack {
					beginRollback(b, pool, false)
				}
				calls := func(n int) {
					var all sync.WaitGroup
					for i := range callers {
						all.Go(func() {
							for range n/callers + max(0, min(1, n%callers-i)) {
								if _, err := pool.Invoke(b.Context(), inv); err != nil {
									b.Error(err)
									return
								}
							}
						})
					}
					all.Wait()
				}
				for began := time.Now(); time.Since(began) < warmUp/3; {
					calls(16)
				}
				host, workers := cpuOfSelf(b), cpuOfDescendants(b)
				b.ResetTimer()
				calls(b.N)
				b.StopTimer()
				perCall := func(now, then time.Duration) float64 { return float64((now - then).Nanoseconds()) / 1e3 / float64(b.N) }
				b.ReportMetric(perCall(cpuOfSelf(b), host), "host-µs/op")
				b.ReportMetric(perCall(cpuOfDescendants(b), workers), "worker-µs/op")
				b.ReportMetric(float64(pool.Snapshot().Pool.Idle), "workers")
			})
		}
	}
}

// cpuOfSelf is the processor time that this process has used.
func cpuOfSelf(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// cpuOfDescendants is that of the processes which have come from it and live: /proc/PID/schedstat.
func cpuOfDescendants(b *testing.B) (sum time.Duration) {
	b.Helper()
	parents := map[int]int{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parents[pid], _ = strconv.Atoi(strings.Fields(rest)[1])
	}
	for pid := range parents {
		at := parents[pid]
		for at > 1 && at != os.Getpid() {
			at = parents[at]
		}
		if at != os.Getpid() {
			continue
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
		if err == nil {
			used, _ := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
			sum += time.Duration(used)
		}
	}
	return sum
}

// BenchmarkAudit measures calls whose worker is compared with its snapshot in full after each, beside the same without
// that.
func BenchmarkAudit(b *testing.B) {
	for _, v := range versions {
		for _, audit := range []int{0, 1} {
			b.Run(fmt.Sprintf("%s/audit=%d", v, audit), func(b *testing.B) {
				observer := outcomes{all: make(chan sandbox.RollbackOutcome, 1)}
				pool := newRealPool(b, func(c *sandbox.Config) {
					one(c)
					c.Node, c.Observer, c.RollbackAudit = v.binary(b), observer, audit
				})
				beginRollback(b, pool, false)
				inv := rolledBackInvocation("hello", hello)
				call := func() {
					if _, err := pool.Invoke(b.Context(), inv); err != nil {
						b.Fatal(err)
					}
					if outcome := <-observer.all; outcome.Cause != "" {
						b.Fatalf("%+v", outcome)
					}
				}
				for range 20 { // the first comparison meets pages that nobody has read
					call()
				}
				host := cpuOfSelf(b)
				b.ResetTimer()
				for range b.N {
					call()
				}
				b.StopTimer()
				b.ReportMetric(float64((cpuOfSelf(b)-host).Nanoseconds())/1e3/float64(b.N), "host-µs/op")
			})
		}
	}
}
