//go:build linux && amd64

package rollback

import (
	"bytes"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stopAndContinue does to the worker what docker pause does to all of a container: its system call ends and is made
// anew. It returns when the listener has heard of that.
func (b *bed) stopAndContinue() {
	b.Helper()
	pid := b.process.Process.Pid
	state := func(want string) func() bool {
		return func() bool {
			text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
			b.must(err)
			_, state, _ := bytes.Cut(text, []byte(") "))
			return bytes.HasPrefix(state, []byte(want))
		}
	}
	b.must(unix.Kill(pid, unix.SIGSTOP))
	b.until("stopped", state("T"))
	b.must(unix.Kill(pid, unix.SIGCONT))
	b.until("waiting again", state("S"))
	b.listener.look()
}

func (b *bed) until(what string, done func() bool) {
	b.Helper()
	for began := time.Now(); !done(); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			b.Fatalf("the worker is not %s", what)
		}
	}
}

// A worker that was stopped in its stub, as it is in a container that is paused, goes on afterwards, wherever in its
// rollback that was.
func TestAWorkerThatWasStoppedGoesOn(t *testing.T) {
	for name, stop := range map[string]func(b *bed) error{
		"before the host has heard of it": func(b *bed) error {
			b.until("parked", func() bool { return len(b.listener.parks) == 1 })
			b.stopAndContinue()
			return b.rollBack()
		},
		"before the rollback": func(b *bed) error {
			b.must(b.AwaitPark(b.ctx()))
			b.stopAndContinue()
			return b.rollBack()
		},
		"after the rollback": func(b *bed) error {
			b.must(b.AwaitPark(b.ctx()))
			b.must(b.Rollback(b.ctx()))
			b.stopAndContinue()
			b.must(b.Release())
			return b.Compare(b.ctx())
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t, nil)
			for _, kind := range []byte{'a', 'a', 'b', 'x'} { // with the list alone, and with system calls of the stub
				b.call(kind)
				if err := stop(b); err != nil {
					t.Fatalf("after %c: %v", kind, err)
				}
			}
			b.call('a')
			b.must(b.rollBack())
		})
	}
}

// What a worker does between its two questions, in a handler of a signal, it is not forgiven.
func TestAWorkerThatActsWhileItIsParkedEnds(t *testing.T) {
	b := newBed(t, nil)
	b.call('a')
	b.must(b.AwaitPark(b.ctx()))
	b.must(b.Rollback(b.ctx()))
	b.listener.mu.Lock()
	b.listener.sum.taint, b.listener.sum.call = taintOther, unix.SYS_KILL
	b.listener.mu.Unlock()
	b.stopAndContinue()
	if cause := causeOf(t, b.Release()); cause != Call {
		t.Errorf("it ends for %q, not %q", cause, Call)
	}
}
