//go:build linux

package sandbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

const answersOne = `function main(req, res) { res.send(1) }`

// stopZygote stops the zygote and returns its PID. It is neither dead nor does it do anything from then on.
func stopZygote(t *testing.T) int {
	t.Helper()
	pid := zygoteOf(t)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	return pid
}

// wantAnswer calls a function that has no worker yet.
func wantAnswer(t *testing.T, pool *sandbox.Pool, name string) {
	t.Helper()
	if result, err := pool.Invoke(t.Context(), invocation(name, answersOne)); err != nil || string(result.Body) != "1" {
		t.Errorf("%s: got %s, %v", name, bodyOf(result), err)
	}
}

func TestAZygoteThatDoesNotForkIsReplaced(t *testing.T) {
	pool := newRealPool(t, func(c *sandbox.Config) { c.Size, c.Prewarmed = 2, 0 })
	wantAnswer(t, pool, "first")
	stopped := stopZygote(t)
	wantAnswer(t, pool, "second")
	if zygoteOf(t) == stopped {
		t.Error("the stopped zygote is still there")
	}
}

// The slot of a dead worker is free once its death is told; with a zygote that never tells, the pool would be full for
// ever.
func TestAZygoteThatDoesNotReapIsReplaced(t *testing.T) {
	pool := newRealPool(t, func(c *sandbox.Config) {
		c.Size, c.Prewarmed = 1, 1
		c.SyncTimeout = 200 * time.Millisecond // two seconds by the clock: less than a zygote has to answer
	})
	stopped := stopZygote(t)
	var death *sandbox.DeathError
	_, err := pool.Invoke(t.Context(), invocation("endless", `function main() { for (;;) {} }`))
	if !errors.As(err, &death) || death.Reason != sandbox.ReasonSyncDeadline {
		t.Errorf("the endless call: %v", err)
	}
	wantAnswer(t, pool, "next")
	if zygoteOf(t) == stopped {
		t.Error("the stopped zygote is still there")
	}
}

func TestAPoolThatFailsToStartLeavesNothing(t *testing.T) {
	cfg := realConfig(t)
	cfg.Modules = []string{"no-such-module"}
	before := 0
	for try := range 3 {
		if pool, err := sandbox.New(t.Context(), cfg); err == nil {
			t.Fatalf("a pool without its modules started: %v", pool.Close())
		}
		open := len(descriptors(t, os.Getpid()))
		if try == 0 {
			before = open // what is opened once for the process is open now
		}
		if open > before {
			t.Errorf("%d descriptors are open after start %d, %d after the first", open, try+1, before)
		}
	}
}

// A zygote that ends between its ready frame and the first request: the start fails, and does not wait for an answer.
func TestAZygoteThatEndsWhenReadyFailsToStart(t *testing.T) {
	cfg := realConfig(t)
	cfg.Isolation = sandbox.IsolationNone
	cfg.Runner = filepath.Join(t.TempDir(), "main.js")
	addon := filepath.Join(filepath.Dir(cfg.Runner), "build", "zygote.node")
	err := errors.Join(
		os.Mkdir(filepath.Dir(addon), 0o700),
		os.WriteFile(addon, nil, 0o600),
		os.WriteFile(cfg.Runner, []byte(`process.stdout.write('{"type":"ready","pid":1,"node":"v8"}\n', () => process.exit(3))`), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	if pool, err := sandbox.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("got %v and a pool: %v", err, pool != nil)
	}
}

// The first worker of a zygote is there before it has settled. One that fails to settle must be seen as a start that
// fails, with its cause.
func TestAZygoteThatFailsToSettleFailsToStart(t *testing.T) {
	cfg := realConfig(t)
	cfg.Isolation, cfg.Modules = sandbox.IsolationNone, []string{}
	dir := t.TempDir()
	copyRunner(t, filepath.Dir(cfg.Runner), dir)
	cfg.Runner = filepath.Join(dir, "main.js")
	script := filepath.Join(dir, "zygote.js")
	text, err := os.ReadFile(script)
	broken := strings.Replace(string(text), "settle();", "throw new Error('no room to settle');", 1)
	if err = errors.Join(err, os.WriteFile(script, []byte(broken), 0o600)); err != nil || broken == string(text) {
		t.Fatal(err, broken)
	}
	pool, err := sandbox.New(t.Context(), cfg)
	if err == nil {
		defer pool.Close()
		undecided := func() bool { return err == nil || errors.Is(err, sandbox.ErrWarming) }
		for began := time.Now(); undecided() && time.Since(began) < patience; runtime.Gosched() {
			err = pool.Snapshot().Err
		}
	}
	if err == nil || !strings.Contains(err.Error(), "no room to settle") {
		t.Errorf("got %v", err)
	}
}
