//go:build linux

package sandbox_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Every global and every module of Node.js stands in runner-js/test/async/table.js, and the runner sees what of it is
// at work.
func TestPromiseNoAsynchronousWorkIsMissed(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		probe := exec.CommandContext(t.Context(), v.binary(t), "--expose-internals", "--zero-fill-buffers", "--v8-pool-size=0", "--single-threaded",
			"../runner-js/test/async/probe.js")
		out, err := probe.Output()
		if lines := strings.Split(strings.TrimSpace(string(out)), "\n"); err != nil || len(lines) != 1 || !strings.HasSuffix(lines[0], " asked") {
			t.Errorf("%v: %s", err, out)
		}
	})
}
