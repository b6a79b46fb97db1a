//go:build linux

package sandbox_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox"
)

// zygoteCalls are what a fork server that somebody has taken over is refused, with the arguments that matter.
func zygoteCalls() map[string][]int {
	const process, thread, newUser, kill = 0x11, 0x3d0f00, 0x10000000, int(unix.SIGKILL)
	calls := map[string][]int{
		"a child in a new user namespace":       {unix.SYS_CLONE, process | newUser, 0, 0, 0, 0},
		"a thread in a new user namespace":      {unix.SYS_CLONE, thread | newUser, 0, 0, 0, 0},
		"a child that traces":                   {unix.SYS_CLONE, process | unix.CLONE_PTRACE, 0, 0, 0, 0},
		"a child that shares descriptors":       {unix.SYS_CLONE, process | unix.CLONE_FILES, 0, 0, 0, 0},
		"root's user":                           {unix.SYS_SETRESUID, 0, 0, 0},
		"root's user, saved":                    {unix.SYS_SETRESUID, 1000, 1000, 0},
		"root's group":                          {unix.SYS_SETRESGID, 0, 0, 0},
		"its own user again, from a worker's":   {unix.SYS_SETRESUID, 1, 1, 1},
		"a user by the older call":              {unix.SYS_SETUID, 1000},
		"a user by the oldest call":             {unix.SYS_SETREUID, 1000, 1000},
		"a user for files":                      {unix.SYS_SETFSUID, 1000},
		"a group by the older call":             {unix.SYS_SETGID, 1000},
		"a signal to a worker":                  {unix.SYS_KILL, 2, kill},
		"a signal to all":                       {unix.SYS_KILL, -1, kill},
		"a signal to a thread":                  {unix.SYS_TGKILL, 2, 2, kill},
		"another limit of descriptors":          {unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE, 1, 0},
		"another process's limits":              {unix.SYS_PRLIMIT64, 2, unix.RLIMIT_NPROC, 0, 0},
		"to be dumped":                          {unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 1},
		"to keep its capabilities":              {unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1},
		"a capability for its children":         {unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, unix.CAP_SETUID, 0, 0},
		"a filter that another process answers": {unix.SYS_SECCOMP, 1, 8, 0},
		"a datagram socket":                     {unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_DGRAM, 0},
		"a network socket":                      {unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0},
	}
	for name, number := range refusedCalls {
		if name != "capset" && name != "pidfd_open" { // it needs them
			calls[name] = []int{number, 0, 0, 0, 0, 0, 0}
		}
	}
	return calls
}

// The fork server is under a filter of its own: what is not needed to make workers is refused to it, too.
func TestPromiseTheForkServerMayOnlyMakeWorkers(t *testing.T) {
	runner := victimRunner(t, zygoteCalls())
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := arena(t, v, insider(runner, func(c *sandbox.Config) { c.Modules, c.MaxInvocations = []string{"inside", "victim"}, 1 }))
		names := slices.Sorted(maps.Keys(zygoteCalls()))
		outcomes := []int(nil)
		for outcomes == nil { // until it has settled
			result, err := pool.Invoke(t.Context(), invocation("victim", `function main(req, res) { res.send(require('victim').outcomes) }`))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(result.Body, &outcomes); err != nil {
				t.Fatal(err)
			}
		}
		if len(outcomes) != len(names) {
			t.Fatalf("%d calls have %d outcomes", len(names), len(outcomes))
		}
		for i, outcome := range outcomes {
			if outcome != -int(unix.EPERM) {
				t.Errorf("%s: the zygote got %d", names[i], outcome)
			}
		}
	})
}

// victimRunner is the insider's runner whose fork server makes calls by itself.
func victimRunner(t *testing.T, calls map[string][]int) string {
	t.Helper()
	runner := insiderRunner(t)
	dir := filepath.Join(filepath.Dir(runner), "node_modules", "victim")
	copyFile(t, "testdata/victim/index.js", filepath.Join(dir, "index.js"))
	var rows [][]int
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		rows = append(rows, calls[name])
	}
	text, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(fmt.Errorf("calls of the zygote: %w", err))
	}
	if err := os.WriteFile(filepath.Join(dir, "calls.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	return runner
}
