package worker

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/backstage/functions/sandbox/internal/jail"
)

// fakeNode is a program that says as its ICU's version what Node.js 8 says.
func fakeNode(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "node")
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho 60.1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestNodeIsLedToTheDataOfICUThatIsThere: a Node.js that is led to a directory without its file does not start.
func TestNodeIsLedToTheDataOfICUThatIsThere(t *testing.T) {
	with, without := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(with, "icudt60l.dat"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ data, want string }{{"", ""}, {with, with}, {without, ""}} {
		cfg := Config{Node: fakeNode(t), Runner: "/runner.js", ICUData: row.data}
		cfg.ICUData = cfg.icuDirectory(t.Context())
		if cfg.ICUData != row.want {
			t.Errorf("of %q there is used %q", row.data, cfg.ICUData)
		}
		flag := slices.Contains(nodeCommand(&cfg).Args, "--icu-data-dir="+row.data)
		if flag != (row.want != "") {
			t.Errorf("%q: Node.js is started with %q", row.data, nodeCommand(&cfg).Args)
		}
		jailed := &jailer{cfg: &cfg}
		cmd := nodeCommand(&cfg)
		args := jailed.inside(cmd)
		if slices.Contains(args, "--icu-data-dir=/icu") != flag || slices.Contains(args, "--icu-data-dir="+row.data) {
			t.Errorf("%q: in a jail it is started with %q", row.data, args)
		}
		if slices.Contains(cfg.icuMounts(), jail.Mount{Source: row.data, Target: "/icu", Dir: true}) != flag {
			t.Errorf("%q: the jail has %v", row.data, cfg.icuMounts())
		}
	}
}
