package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// enter is what a container's runtime does, as far as it matters here: PID and mount namespaces, a cgroup and a cgroup
// namespace, read-only mounts of the hierarchies, no capabilities but three. The name of the group and the program
// follow. Each step becomes the next, so that nothing but the program is left in the group.
const enter = `exec unshare --pid --mount --mount-proc --fork --kill-child sh -euc '
  group=$1; shift
  hierarchies=
  for dir in /sys/fs/cgroup /sys/fs/cgroup/memory /sys/fs/cgroup/cpu /sys/fs/cgroup/pids /sys/fs/cgroup/cpuacct; do
    [ -e "$dir/cgroup.procs" ] || continue
    mkdir "$dir/$group"
    echo $$ >"$dir/$group/cgroup.procs"
    hierarchies="$hierarchies $dir"
  done
  export hierarchies
  exec unshare --cgroup sh -euc "$MOUNT" sh "$@"' sh "$@"`

const mountGroups = `
for dir in $hierarchies; do
  kind=cgroup2 options=
  [ "$dir" = /sys/fs/cgroup ] || { kind=cgroup options="-o $(basename "$dir")"; }
  mount -t tmpfs none "$dir"
  mount -t "$kind" $options none "$dir"
  mount -o remount,bind,ro "$dir"
done
exec setpriv --bounding-set "$CAPABILITIES" --inh-caps -all --no-new-privs "$@"`

// inContainer is a command that runs this test binary as the server in a container of its own.
func inContainer(t *testing.T, capabilities string, vars ...string) *exec.Cmd {
	t.Helper()
	group := "functions-container-" + strconv.Itoa(os.Getpid())
	t.Cleanup(func() {
		for _, pattern := range []string{"/sys/fs/cgroup/" + group, "/sys/fs/cgroup/*/" + group} {
			dirs, _ := filepath.Glob(pattern) // the pattern is well formed
			for _, dir := range dirs {
				removeGroup(t, dir)
			}
		}
	})
	cmd := exec.Command("sh", "-c", enter, "sh", group, os.Args[0])
	cmd.Env = append(serverEnv(t, "MOUNT="+mountGroups, "CAPABILITIES="+capabilities, "TMPDIR="+os.TempDir(),
		"POOL_SIZE=2", "POOL_PREWARMED=1"), vars...)
	return cmd
}

// removeGroup removes a group with those below; what still has processes stays and fails the test.
func removeGroup(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			removeGroup(t, filepath.Join(dir, entry.Name()))
		}
	}
	if err := os.Remove(dir); err != nil {
		t.Error(err)
	}
}

func TestServerIsStrictInAContainerWithoutPrivileges(t *testing.T) {
	cmd := inContainer(t, "-all,+setuid,+setgid,+setfcap")
	s := launch(t, cmd)
	defer s.stopFirst(t)
	s.awaitPorts(t)
	s.logs.await(t, `(Isolation: strict: cgroup v\d)`)
	put(t, s.url+"/functions/a/b", `function main(req, res) { res.send({ one: 1 }) }`, "")
	status, got := request(t, http.MethodPut, s.url+"/functions/a/b/run", "")
	if status != http.StatusOK || got != `{"one":1}` {
		t.Errorf("the function answered %d %s", status, got)
	}
	_, report := request(t, http.MethodGet, s.url+"/status/isolation", "")
	if strings.Contains(report, `"obtained":false`) || !strings.Contains(report, `"user of its own","asked":true`) {
		t.Error(report)
	}
	s.checkReuse(t)
}

// checkReuse calls a function whose worker is to be put back: it finds it as new, and the server says how.
func (s *server) checkReuse(t *testing.T) {
	t.Helper()
	put(t, s.url+"/functions/a/reuse", usedCode, `"reuse":"rollback"`)
	s.untilPutBack(t, "/functions/a/reuse", `{}`)
	findsNothing(t, s.url+"/functions/a/reuse", 3)
	_, report := request(t, http.MethodGet, s.url+"/status/isolation", "")
	putBack := strings.Contains(report, `"rollback":{"available":true,"mechanism":"rollback"}`)
	named := regexp.MustCompile(`"rollback":\{"available":false,"reason":"[^"]{20,}","mechanism":"process for each` +
		` call"\}`)
	if putBack == named.MatchString(report) {
		t.Errorf("how workers are put back is not told: %s", report)
	}
	t.Logf("workers are put back: %v %s", putBack, named.FindString(report))
}

// stopFirst stops the server through the first process of its PID namespace, whose exit code is that of the server.
func (s *server) stopFirst(t *testing.T) {
	t.Helper()
	for _, first := range childrenOf(s.cmd.Process.Pid) {
		_ = syscall.Kill(first.pid, syscall.SIGTERM)
	}
	s.logs.rest()
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the container ended with %v; its log:\n%s", err, s.logs.text())
	}
}

func TestServerNamesThePrivilegeThatAContainerLacks(t *testing.T) {
	cmd := inContainer(t, "-all,+setuid,+setgid")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "give the container the capabilities SETUID, SETGID and SETFCAP") {
		t.Errorf("%v\n%s", err, out)
	}
}
