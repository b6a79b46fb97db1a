//go:build linux

package sandbox_test

import (
	"os"
	"path/filepath"
	"testing"
)

// version is a version of Node.js that every promise is kept on.
type version string

const (
	oldest    version = "node8"
	version18 version = "node18" // where NIGHTLY is 1
	version20 version = "node20"
	// version22 is added to each arena while it runs, in place of the oldest: what comes then is isolated as what is there
	// from the start.
	version22 version = "node22"
	version24 version = "node24"
)

// versions are those that every run of the tests has, oldest first.
var versions = []version{oldest, version20, version22, version24}

// binary is where a version lies.
func (v version) binary(tb testing.TB) string {
	tb.Helper()
	if v == oldest {
		return realConfig(tb).Node
	}
	path, err := filepath.Abs("../cmd/functions/testdata/runtimes/node_modules/" + string(v) + "/bin/node")
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		tb.Fatalf("%s is not there, run make test: %v", v, err)
	}
	return path
}

// onEveryVersion runs test on each of them, one after the other.
func onEveryVersion(t *testing.T, test func(*testing.T, version)) {
	t.Helper()
	all := versions
	if os.Getenv("NIGHTLY") == "1" {
		all = append(all[:len(all):len(all)], version18)
	}
	for _, v := range all {
		t.Run(string(v), func(t *testing.T) { test(t, v) })
	}
}
