package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// loadTime is how long each load lasts.
const loadTime = 4 * time.Second

// wrkScript makes wrk post JSON and print what it has measured in a line of ours.
const wrkScript = `
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
%s
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("measured %%d %%d %%d %%d %%d\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
`

// postBody is the part of a script that posts body.
func postBody(body string) string { return fmt.Sprintf("wrk.body = %q", body) }

// sendTo is the part of a script that posts body to the paths that format gives for 0 to n-1, in random order.
func sendTo(format string, n int, body string) string {
	return postBody(body) + fmt.Sprintf(`
function request() return wrk.format(nil, string.format(%q, math.random(0, %d))) end`, format, n-1)
}

// wrk calls url without a pause on so many connections, from one thread; any answer but a 2xx or 3xx fails b. pid is that of the
// server whose processor time is counted.
func wrk(b *testing.B, url string, connections int, length time.Duration, script string, pid int) measured {
	b.Helper()
	m, failed := runWrk(b, url, connections, length, script, pid)
	if failed > 0 {
		b.Fatalf("%d calls have failed", failed)
	}
	return m
}

// wrkFailing is wrk for calls that are all answered with a status that wrk takes for a failure.
func wrkFailing(b *testing.B, url string, connections int, length time.Duration, script string, pid int) measured {
	b.Helper()
	m, failed := runWrk(b, url, connections, length, script, pid)
	if calls := int(m.rate * length.Seconds()); failed < calls*9/10 {
		b.Fatalf("of %d calls %d have failed", calls, failed)
	}
	return m
}

// runWrk says of how many calls the answer was not a 2xx or 3xx, or none.
func runWrk(
	b *testing.B, url string, connections int, length time.Duration, script string, pid int,
) (m measured, failed int) {
	b.Helper()
	file := filepath.Join(b.TempDir(), "wrk.lua")
	if err := os.WriteFile(file, fmt.Appendf(nil, wrkScript, script), 0o600); err != nil {
		b.Fatal(err)
	}
	before := cpuOf(pid)
	cmd := exec.CommandContext(b.Context(), "wrk", "-t1", "-c"+strconv.Itoa(connections), "-d"+strconv.Itoa(int(length.Seconds()))+"s",
		"--latency", "--timeout", "20s", "-s", file, url)
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("wrk, which make bench installs: %v: %s", err, out)
	}
	used := cpuOf(pid) - before
	_, line, _ := strings.Cut(string(out), "measured ")
	var calls, took, p50, p99 int
	if _, err := fmt.Sscan(line, &calls, &took, &p50, &p99, &failed); err != nil || calls == 0 {
		b.Fatalf("wrk measured nothing: %v, %s", err, out)
	}
	return measured{
		rate: float64(calls) / (time.Duration(took) * time.Microsecond).Seconds(),
		p50:  time.Duration(p50) * time.Microsecond, p99: time.Duration(p99) * time.Microsecond,
		cpu: used / time.Duration(calls),
	}, failed
}

// inTurn makes calls one after the other for loadTime, each timed by itself and after a pause.
func inTurn(pause time.Duration, call func(n int)) measured { return inTurnFor(loadTime, pause, call) }

// inTurnFor is inTurn for another time than loadTime.
func inTurnFor(length, pause time.Duration, call func(n int)) measured {
	var took []time.Duration
	for n, end := 0, time.Now().Add(length); time.Now().Before(end) || n < 20; n++ {
		time.Sleep(pause)
		began := time.Now()
		call(n)
		took = append(took, time.Since(began))
	}
	return quantiles(took)
}

// quantiles are those of calls that were made one after the other.
func quantiles(took []time.Duration) measured {
	var sum time.Duration
	for _, t := range took {
		sum += t
	}
	slices.Sort(took)
	return measured{rate: float64(len(took)) / sum.Seconds(), p50: took[len(took)/2], p99: took[len(took)*99/100]}
}

// tick is the unit of times in /proc: USER_HZ is 100 on every architecture of Linux that Go knows (proc_pid_stat(5)).
const tick = 10 * time.Millisecond

// cpuOf is the processor time used by the process pid and all that descend from it, the dead that were waited for included.
func cpuOf(pid int) time.Duration {
	var ticks int
	if stat := procStat(pid); stat != nil {
		for _, field := range stat[statUserTime : statUserTime+4] { // utime, stime, cutime, cstime
			n, _ := strconv.Atoi(field)
			ticks += n
		}
	}
	total := time.Duration(ticks) * tick
	for _, child := range childrenOf(pid) {
		total += cpuOf(child.pid)
	}
	return total
}
