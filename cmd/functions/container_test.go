package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// enter is what a container's runtime does, as far as it matters here: PID and mount namespaces, a control group and a cgroup namespace,
// read-only mounts of the hierarchies, no capabilities but three. The name of the group and the program follow. Each step becomes the next,
// so that nothing but the program is left in the group.
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
	runner, err := filepath.Abs("../../runner-js")
	if err != nil {
		t.Fatal(err)
	}
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
	cmd.Env = append([]string{
		"SERVE=1", "MOUNT=" + mountGroups, "CAPABILITIES=" + capabilities, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "HOST=127.0.0.1", "PORT=0",
		"METRICS_PORT=0", "RUNNER_DIR=" + runner, "DATA_DIR=" + t.TempDir(), "POOL_SIZE=2", "POOL_PREWARMED=1",
	}, vars...)
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
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{cmd: cmd, logs: newLines(stdout)}
	defer s.stopFirst(t)
	s.url = "http://127.0.0.1:" + s.logs.await(t, `Functions is listening on port (\d+)`)
	s.logs.await(t, `(Isolation: strict: cgroup v\d)`)
	sendBody(t, s.url+"/functions/a/b", `{"code": "function main(req, res) { res.send({ one: 1 }) }"}`)
	if got := sendBody(t, s.url+"/functions/a/b/run", ""); got != `{"one":1}` {
		t.Errorf("the function answered %s", got)
	}
	response, err := http.Get(s.url + "/status/isolation")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	report, err := io.ReadAll(response.Body)
	if err != nil || strings.Contains(string(report), `"obtained":false`) || !strings.Contains(string(report), `"user of its own","asked":true`) {
		t.Errorf("%s, %v", report, err)
	}
}

// stopFirst stops the server through the first process of its PID namespace, whose exit code is that of the server.
func (s *server) stopFirst(t *testing.T) {
	t.Helper()
	children, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range children {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(after); len(fields) > 1 && fields[1] == strconv.Itoa(s.cmd.Process.Pid) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path))) // it is a number
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}
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

func sendBody(t *testing.T, url, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("PUT %s: %s %s, %v", url, response.Status, text, err)
	}
	return string(text)
}
