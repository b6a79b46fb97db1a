//go:build linux

package sandbox_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// insiderRunner returns a runner that is the real one but for its modules: there is only `inside`, which hands a
// function all that an attacker could wish for. It loads that before the runner locks anything down.
func insiderRunner(t *testing.T) string {
	t.Helper()
	dir, module := t.TempDir(), "node_modules/inside"
	copyRunner(t, "../runner-js", dir)
	copyFile(t, "testdata/insider/index.js", filepath.Join(dir, module, "index.js"))
	compile(t, "testdata/insider/attack.c", filepath.Join(dir, module, "attack.node"), "-pthread")
	return filepath.Join(dir, "main.js")
}

// compile builds an addon for Node.js.
func compile(t *testing.T, source, addon string, flags ...string) {
	t.Helper()
	headers := filepath.Join(filepath.Dir(realConfig(t).Node), "../include/node")
	args := append([]string{"-O1", "-fPIC", "-shared", "-isystem", headers, "-o", addon, source}, flags...)
	if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
}

// copyRunner copies what the server needs of the runner, but for its modules.
func copyRunner(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "test") {
			return filepath.SkipDir
		}
		if ext := filepath.Ext(path); ext == ".js" || ext == ".node" {
			copyFile(t, path, filepath.Join(to, strings.TrimPrefix(path, from)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, 0o666); err != nil { // only the mount keeps it from being written
		t.Fatal(err)
	}
}
