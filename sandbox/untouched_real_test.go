//go:build linux

package sandbox_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox"
)

// signalWorker sends a signal to the only worker of the pool and returns its PID.
func signalWorker(t *testing.T, signal unix.Signal) int {
	t.Helper()
	worker := youngest(processesBelow(t))
	if err := unix.Kill(worker, signal); err != nil {
		t.Fatal(err)
	}
	return worker
}

// stopWorker returns when the worker has stopped: proc_pid_stat(5).
func stopWorker(t *testing.T) {
	t.Helper()
	path := fmt.Sprintf("/proc/%d/stat", signalWorker(t, unix.SIGSTOP))
	for {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), ") T ") {
			return
		}
	}
}

func TestCallThatHitsADeadWorkerIsMadeOnAnother(t *testing.T) {
	pool := newRealPool(t, one)
	const code = `function main(req, res) { res.send(req.body.x) }`
	for range 20 {
		invoke(t, pool, "dead", code, "1")
		stopWorker(t)
		done := make(chan struct{})
		go func() {
			defer close(done)
			invoke(t, pool, "dead", code, "1") // on the worker that cannot read it
		}()
		for pool.Snapshot().Pool.Busy == 0 {
			runtime.Gosched()
		}
		signalWorker(t, unix.SIGKILL)
		<-done
	}
}

func TestCallThatAWorkerHasReadIsNotMadeAgain(t *testing.T) {
	pool := newRealPool(t, one)
	inv := invocation("read", `function main(req, res) { console.log('begun') }`)
	begun := 0
	inv.OnLog = func(sandbox.LogLine) {
		begun++
		signalWorker(t, unix.SIGKILL)
	}
	_, err := pool.Invoke(t.Context(), inv)
	wantDeath(t, "read", err, sandbox.ReasonSignal)
	if begun != 1 {
		t.Errorf("the call began %d times", begun)
	}
}
