//go:build linux

package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox"
)

// one is a pool of one worker, so that a call finds the worker of the one before it or a new one.
func one(c *sandbox.Config) { c.Size, c.Prewarmed = 1, 0 }

// invoke fails tb unless the call is answered with want as its body, and returns how it got its worker.
func invoke(tb testing.TB, pool *sandbox.Pool, name, code, want string) sandbox.StartKind {
	tb.Helper()
	result, err := pool.Invoke(tb.Context(), invocation(name, code))
	if err != nil {
		tb.Errorf("%s: %v", name, err)
		return ""
	}
	if string(result.Body) != want {
		tb.Errorf("%s: got %.100s, want %s", name, result.Body, want)
	}
	return result.Start
}

// wantDeath fails tb unless err is a DeathError for reason.
func wantDeath(tb testing.TB, name string, err error, reason sandbox.Reason) *sandbox.DeathError {
	tb.Helper()
	var death *sandbox.DeathError
	if !errors.As(err, &death) || death.Reason != reason {
		tb.Errorf("%s: got %v, want %s", name, err, reason)
		return &sandbox.DeathError{}
	}
	return death
}

// processesBelow are the processes below this one, and when each started, in ticks since the machine did:
// proc_pid_stat(5).
func processesBelow(tb testing.TB) map[int]uint64 {
	tb.Helper()
	parents, started := map[int]int{}, map[int]uint64{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		tb.Fatal(err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])) // from the third on
		parents[pid], _ = strconv.Atoi(fields[1])
		started[pid], _ = strconv.ParseUint(fields[19], 10, 64)
	}
	below := map[int]uint64{}
	for pid := range parents {
		for above := parents[pid]; above != 0; above = parents[above] {
			if above == os.Getpid() {
				below[pid] = started[pid]
			}
		}
	}
	return below
}

// youngest is the process that started last, which in a pool of one is the worker.
func youngest(pids map[int]uint64) int {
	last := 0
	for pid, at := range pids {
		if last == 0 || at > pids[last] || at == pids[last] && pid > last {
			last = pid
		}
	}
	return last
}

func TestWorkerKilledFromOutsideIsNamedAndReplaced(t *testing.T) {
	pool := newRealPool(t, one)
	inv := invocation("victim", `function main() { console.log('here') }`)
	inv.OnLog = func(sandbox.LogLine) { _ = unix.Kill(youngest(processesBelow(t)), unix.SIGKILL) }
	_, err := pool.Invoke(t.Context(), inv)
	if death := wantDeath(t, "kill -9", err, sandbox.ReasonSignal); death.Signal != "SIGKILL" {
		t.Errorf("signal %q", death.Signal)
	}
	invoke(t, pool, "next", `function main(req, res) { res.send(1) }`, `1`)
}

func TestIdleWorkerKilledFromOutsideIsReplaced(t *testing.T) {
	died := make(chan sandbox.Reason, 10)
	pool := newRealPool(t, func(c *sandbox.Config) { one(c); c.Observer = deaths{died: died} })
	const code = `function main(req, res) { res.send(1) }`
	invoke(t, pool, "a", code, `1`)
	_ = unix.Kill(youngest(processesBelow(t)), unix.SIGKILL)
	if reason := <-died; reason != sandbox.ReasonSignal {
		t.Errorf("died of %s", reason)
	}
	// The pool may learn of the death a moment after its observer: the call then finds the dead worker, or a new one.
	if _, err := pool.Invoke(t.Context(), invocation("a", code)); err != nil {
		wantDeath(t, "the call after", err, sandbox.ReasonSignal)
	}
	invoke(t, pool, "a", code, `1`)
}

// deaths is an Observer of deaths.
type deaths struct {
	sandbox.NopObserver

	died chan<- sandbox.Reason
}

func (d deaths) WorkerDied(reason sandbox.Reason, _ time.Duration) { d.died <- reason }

func TestCloseLeavesNoProcessBehind(t *testing.T) {
	before := processesBelow(t)
	pool, err := sandbox.New(context.Background(), realConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	invoke(t, pool, "idle", `function main(req, res) { res.send(1) }`, `1`)
	busy := make(chan error, 1)
	started := make(chan struct{})
	inv := invocation("busy", `function main(req, res) { console.log('started'); setTimeout(() => res.send(1), 200) }`)
	inv.OnLog = func(sandbox.LogLine) { close(started) }
	go func() { _, err := pool.Invoke(context.Background(), inv); busy <- err }()
	<-started
	if len(processesBelow(t)) <= len(before) {
		t.Error("no process of the pool is to be seen")
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	if err := <-busy; err != nil {
		t.Errorf("the call in progress: %v", err)
	}
	for pid := range processesBelow(t) {
		if _, ok := before[pid]; !ok {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			t.Errorf("process %d is still there: %.60s", pid, text)
		}
	}
}

func TestCanceledCallIsKilledUnlessDetached(t *testing.T) {
	pool := newRealPool(t, nil)
	for _, detached := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		inv := invocation(fmt.Sprint("detached ", detached), `function main(req, res) { console.log('started'); setTimeout(() => res.send(1), 50) }`)
		inv.Detached = detached
		inv.OnLog = func(sandbox.LogLine) { cancel() }
		result, err := pool.Invoke(ctx, inv)
		if detached {
			if err != nil || string(result.Body) != `1` {
				t.Errorf("detached: got %+v, %v", result, err)
			}
		} else {
			wantDeath(t, "not detached", err, sandbox.ReasonCanceled)
		}
		cancel()
	}
}

func TestCallersBesideEndlessLoopsGetTheirAnswers(t *testing.T) {
	pool := newRealPool(t, func(c *sandbox.Config) { loopsEnd(c); c.Size = 8 })
	const callers, each = 50, 3
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for n := range each {
				if caller%10 == 0 {
					_, err := pool.Invoke(t.Context(), invocation(fmt.Sprint("loop", caller), `function main() { for (;;) {} }`))
					wantDeath(t, "loop", err, sandbox.ReasonSyncDeadline)
					continue
				}
				code := fmt.Sprintf(`function main(req, res) { res.send({ caller: %d, n: %d }) }`, caller, n)
				inv := invocation(fmt.Sprint("sane ", caller%7, " ", caller, " ", n), code)
				result, err := pool.Invoke(t.Context(), inv)
				if want := fmt.Sprintf(`{"caller":%d,"n":%d}`, caller, n); err != nil || string(result.Body) != want {
					t.Errorf("got %+v, %v; want %s", result, err, want)
				}
			}
		})
	}
	all.Wait()
}
