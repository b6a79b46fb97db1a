//go:build linux && amd64

package sandbox_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// An ordinary user whose cgroup was handed to it, as systemd's Delegate= does, gets every layer but users of
// their own for workers.
func TestOrdinaryUserIsStrictInADelegatedGroup(t *testing.T) {
	const nobody = 65534
	ownTempDir(t)
	dir := filepath.Join(os.TempDir(), "runner")
	copyRunner(t, "../runner-js", dir)
	program, node := filepath.Join(os.TempDir(), "program"), filepath.Join(os.TempDir(), "node")
	copyFile(t, os.Args[0], program)
	copyFile(t, realConfig(t).Node, node)
	for _, path := range []string{program, node} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	groups := delegatedGroups(t, nobody)
	// The shell waits until it is in the groups.
	cmd := exec.Command("/bin/sh", "-c", `read line && exec "$@"`, "sh",
		program, "-test.run", "^TestInADelegatedGroup$", "-test.v")
	cmd.Dir = "/"
	runner := filepath.Join(dir, "main.js")
	cmd.Env = []string{"FUNCTIONS_TEST_RUNNER=" + runner, "FUNCTIONS_TEST_NODE=" + node, "TMPDIR=/tmp"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, group := range groups {
		pid := []byte(strconv.Itoa(cmd.Process.Pid))
		if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), pid, 0o644); err != nil {
			t.Error(err)
		}
	}
	if _, err := io.WriteString(stdin, "go\n"); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), "strict in a delegated group") {
		t.Errorf("%v\n%s", err, out.String())
	}
	t.Log(out.String())
}

// delegatedGroups makes a group in each hierarchy that workers need and gives it to a user, as cgroups(7),
// "Delegation", says.
func delegatedGroups(t *testing.T, uid int) []string {
	t.Helper()
	name := "functions-test-" + strconv.Itoa(os.Getpid())
	parents := []string{"/sys/fs/cgroup/memory", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/cpuacct"}
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil { // version 2
		parents = []string{"/sys/fs/cgroup"}
	}
	groups := make([]string, len(parents))
	for i, parent := range parents {
		group := filepath.Join(parent, name)
		groups[i] = group
		if err := os.Mkdir(group, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { removeGroups(t, group) })
		for _, file := range []string{"", "cgroup.procs", "cgroup.subtree_control"} {
			path := filepath.Join(group, file)
			if err := os.Chown(path, uid, uid); err != nil && !os.IsNotExist(err) { // version 1 has no subtree_control
				t.Fatal(err)
			}
		}
	}
	return groups
}

// removeGroups removes a group and fails for what the server has left in it, but for the one that it moves into itself.
func removeGroups(t *testing.T, group string) {
	t.Helper()
	_ = os.Remove(filepath.Join(group, "functions-server"))
	_ = os.Remove(filepath.Join(group, "functions"))
	if err := os.Remove(group); err != nil {
		t.Errorf("left behind: %v", err)
	}
}

// TestInADelegatedGroup is the part of the test above that runs as another user, and nothing otherwise.
func TestInADelegatedGroup(t *testing.T) {
	cfg := sandbox.DefaultConfig()
	cfg.Runner, cfg.Node = os.Getenv("FUNCTIONS_TEST_RUNNER"), os.Getenv("FUNCTIONS_TEST_NODE")
	if cfg.Runner == "" {
		return
	}
	cfg.SyncTimeout, cfg.AsyncTimeout, cfg.StartTimeout, cfg.QueueTimeout = patience, patience, patience, patience
	cfg.Modules, cfg.RollbackAudit, cfg.Observer = []string{"fs"}, 1, outcomes{all: make(chan sandbox.RollbackOutcome, 10)}
	pool, err := sandbox.New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for range 2 {
		inv := invocation("delegated", tmpOf)
		inv.Request.Body = []byte(`{"write":"x"}`)
		result, err := pool.Invoke(t.Context(), inv)
		if err != nil || string(result.Body) != `[[],["x"]]` {
			t.Errorf("%s, %v", bodyOf(result), err)
		}
	}
	putBackAsOrdinaryUser(t, pool, cfg.Observer.(outcomes))
	obtained := 0
	for _, layer := range only(pool).Layers {
		if layer.Asked && !layer.Obtained {
			t.Errorf("%s is missing: %s", layer.Name, layer.Detail)
		}
		if layer.Asked && layer.Obtained {
			obtained++
		}
	}
	t.Logf("strict in a delegated group: %d layers", obtained)
}

// putBackAsOrdinaryUser has a worker put back and compared in full after each call, where the kernel is new enough.
func putBackAsOrdinaryUser(t *testing.T, pool *sandbox.Pool, told outcomes) {
	t.Helper()
	support := only(pool).Rollback
	if support.Available {
		beginRollback(t, pool, false)
	}
	for range 3 {
		result, err := pool.Invoke(t.Context(), rolledBackInvocation("count", counting))
		if err != nil || string(result.Body) != `{"calls":1,"pid":0}` {
			t.Errorf("%s, %v", bodyOf(result), err)
		}
		if !support.Available {
			continue
		}
		if outcome := <-told.all; outcome.Cause != "" || !outcome.Audited {
			t.Errorf("a worker is put back: %+v", outcome)
		}
	}
	if !support.Available && support.Reason == "" {
		t.Error("it does not say why workers are not put back")
	}
	t.Logf("workers are put back: %+v", support)
}
