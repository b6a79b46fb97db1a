//go:build linux

package sandbox_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/hostinfo"
)

// An ordinary user gets what the kernel lets it have, and for the rest an error that says what to do.
func TestOrdinaryUserIsToldWhatIsMissing(t *testing.T) {
	const nobody = 65534
	ownTempDir(t)
	dir := os.TempDir()
	runner := insiderRunner(t)
	if err := os.Chmod(filepath.Dir(filepath.Dir(runner)), 0o711); err != nil {
		t.Fatal(err)
	}
	program, node := filepath.Join(dir, "program"), filepath.Join(dir, "node")
	copyFile(t, os.Args[0], program)
	copyFile(t, realConfig(t).Node, node)
	for _, path := range []string{program, node} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "-test.run", "^TestAsAnotherUser$", "-test.v")
	cmd.Dir = "/"
	cmd.Env = []string{"FUNCTIONS_TEST_RUNNER=" + runner, "FUNCTIONS_TEST_NODE=" + node, "TMPDIR=/tmp"}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "looked at as another user") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestAsAnotherUser is the part of the test above that runs as another user, and nothing otherwise.
func TestAsAnotherUser(t *testing.T) {
	cfg := sandbox.DefaultConfig()
	cfg.Runner, cfg.Node = os.Getenv("FUNCTIONS_TEST_RUNNER"), os.Getenv("FUNCTIONS_TEST_NODE")
	if cfg.Runner == "" {
		return
	}
	t.Log("looked at as another user")
	cfg.SyncTimeout, cfg.AsyncTimeout, cfg.StartTimeout, cfg.QueueTimeout = patience, patience, patience, patience
	cfg.Modules = []string{"inside"}
	if _, err := sandbox.New(context.Background(), cfg); err == nil || !strings.Contains(err.Error(), "delegated subtree") {
		t.Errorf("strict: %v", err)
	}
	cfg.Isolation = sandbox.IsolationNone
	pool, err := sandbox.New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	result, err := pool.Invoke(t.Context(), invocation("plain", `function main(req, res) { res.send(1) }`))
	if err != nil || string(result.Body) != "1" {
		t.Errorf("none: %s, %v", bodyOf(result), err)
	}
	found := map[string]bool{}
	for _, feature := range hostinfo.Probe(t.Context(), cfg.Node, cfg.Runner) {
		found[feature.Name] = feature.OK
	}
	if !found["user namespaces"] || !found["Node.js"] || found["control groups"] {
		text, _ := json.Marshal(found)
		t.Errorf("found %s", text)
	}
}

func TestUmaskOfTheServerIsNotThatOfTheJail(t *testing.T) {
	before := syscall.Umask(0o077)
	defer syscall.Umask(before)
	pool := newRealPool(t, nil)
	result, err := pool.Invoke(t.Context(), invocation("umask", `function main(req, res) { res.send(1) }`))
	if err != nil || string(result.Body) != "1" {
		t.Errorf("%s, %v", bodyOf(result), err)
	}
}
