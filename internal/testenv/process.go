package testenv

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// startTimeout bounds the wait for a server to be ready. It is generous: a loaded machine is slow.
const startTimeout = 2 * time.Minute

// process is a running redis-server; its output is read after exited is closed only.
type process struct {
	cmd    *exec.Cmd
	output bytes.Buffer
	exited chan struct{}
}

func start(tb testing.TB, command, args []string) *process {
	tb.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		tb.Fatal("testenv: install redis-server, or run make test")
	}
	args = append(command[1:len(command):len(command)], args...)
	p := &process{cmd: exec.Command(command[0], args...), exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		tb.Fatalf("testenv: start redis-server: %v", err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // how it ended shows in its output
	}()
	return p
}

// waitFor returns when ready does so with true; it fails the test when the process ends before, or in startTimeout.
func (p *process) waitFor(tb testing.TB, what string, ready func() bool) {
	tb.Helper()
	timeout := time.After(startTimeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ready() {
		select {
		case <-p.exited:
			tb.Fatalf("testenv: redis-server ended: %s", p.output.String())
		case <-timeout:
			tb.Fatalf("testenv: waited %v for %s", startTimeout, what)
		case <-tick.C:
		}
	}
}

func (p *process) stop(tb testing.TB) {
	tb.Helper()
	if p == nil {
		return
	}
	p.signal(tb, syscall.SIGKILL)
	<-p.exited
}

func (p *process) pause(tb testing.TB) {
	tb.Helper()
	p.signal(tb, syscall.SIGSTOP)
}

func (p *process) resume(tb testing.TB) {
	tb.Helper()
	p.signal(tb, syscall.SIGCONT)
}

func (p *process) signal(tb testing.TB, sig os.Signal) {
	tb.Helper()
	select {
	case <-p.exited:
		return
	default:
	}
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		tb.Errorf("testenv: send %v: %v", sig, err)
	}
}
