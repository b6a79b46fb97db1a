package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/backstage/functions/internal/httpd/api/contracttest"
	"github.com/backstage/functions/internal/testenv"
)

// The test binary is also the server: with SERVE set it does what the command does.
func TestMain(m *testing.M) {
	if serve, ok := floors[os.Getenv("SERVE")]; ok {
		serve()
	}
	if os.Getenv("SERVE") != "" {
		os.Args = os.Args[:1]
		main()
		return
	}
	code := m.Run()
	benchmarks.print(os.Stdout)
	os.Exit(code)
}

// server is a running server.
type server struct {
	cmd       *exec.Cmd
	url       string // of the API
	metrics   string
	logs      *lines
	told      bool        // to end: a second signal would end it at once
	discarded chan string // see discardLogs
}

// startServer starts the server on free ports with vars, "NAME=value", and waits until it listens.
func startServer(t testing.TB, vars ...string) *server {
	t.Helper()
	return startCommand(t, exec.Command(os.Args[0]), vars...)
}

// startCommand is startServer for a command that starts the server.
func startCommand(t testing.TB, cmd *exec.Cmd, vars ...string) *server {
	t.Helper()
	cmd.Env = serverEnv(t, vars...)
	s := launch(t, cmd)
	t.Cleanup(func() { s.stop(t) })
	s.awaitPorts(t)
	s.logs.await(t, `(Deploy a function)`)
	return s
}

// awaitPorts waits until s listens.
func (s *server) awaitPorts(t testing.TB) {
	t.Helper()
	s.url = "http://127.0.0.1:" + s.logs.await(t, `Functions is listening on port (\d+)`)
	s.metrics = "http://127.0.0.1:" + s.logs.await(t, `Functions metrics is listening on port (\d+)`)
}

// launch starts cmd and reads what it prints.
func launch(t testing.TB, cmd *exec.Cmd) *server {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &server{cmd: cmd, logs: newLines(stdout)}
}

// serverEnv is the environment of a server on free ports with vars. Its deadlines are such that only a broken server
// reaches them.
func serverEnv(t testing.TB, vars ...string) []string {
	t.Helper()
	runner, err := filepath.Abs("../../runner-js")
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{
		"SERVE=1", "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.Getenv("TMPDIR"), "HOST=127.0.0.1", "PORT=0", "METRICS_PORT=0",
		"RUNNER_DIR=" + runner, "DATA_DIR=" + t.TempDir(),
		"CODE_SYNC_TIMEOUT=60000", "CODE_ASYNC_TIMEOUT=300000", "QUEUE_TIMEOUT=5m", "SHUTDOWN_TIMEOUT=5m",
	}, vars...)
}

// stop ends the server as an operator would and requires that it ends well.
func (s *server) stop(t testing.TB) {
	t.Helper()
	if s.cmd.ProcessState != nil {
		return
	}
	s.terminate()
	s.logs.rest()
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v; its log:\n%s", err, s.logs.text())
	}
}

// terminate tells the server to end.
func (s *server) terminate() {
	if !s.told {
		s.told = true
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
	}
}

// lines are those that a process prints.
type lines struct {
	next chan string
	seen []string
}

func newLines(r io.Reader) *lines {
	l := &lines{next: make(chan string, 100_000)}
	go func() {
		scanner := bufio.NewScanner(r)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			l.next <- scanner.Text()
		}
		close(l.next)
	}()
	return l
}

// await reads on until a line matches pattern and returns its first group.
func (l *lines) await(t testing.TB, pattern string) string {
	t.Helper()
	expr := regexp.MustCompile(pattern)
	for line := range l.next {
		l.seen = append(l.seen, line)
		if match := expr.FindStringSubmatch(line); match != nil {
			return match[1]
		}
	}
	t.Fatalf("no line matches %q in\n%s", pattern, l.text())
	return ""
}

// said returns the first group of the first line that matches pattern, of those that were read.
func (l *lines) said(t testing.TB, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(l.text())
	if match == nil {
		t.Fatalf("no line matches %q in\n%s", pattern, l.text())
	}
	return match[1]
}

// rest reads all lines until the process closes its output.
func (l *lines) rest() {
	for line := range l.next {
		l.seen = append(l.seen, line)
	}
}

func (l *lines) text() string { return strings.Join(l.seen, "\n") }

// contractDeadlines are the deadlines of the servers on which rows that meet them run. A loop has a second of CPU time,
// and what does not loop ten by the clock.
var contractDeadlines = map[contracttest.Deadline][]string{
	contracttest.NoDeadline:     nil,
	contracttest.MainDeadline:   {"CODE_SYNC_TIMEOUT=1000"},
	contracttest.AnswerDeadline: {"CODE_ASYNC_TIMEOUT=300"},
}

// contractHolds replays the contract on servers with vars.
func contractHolds(t *testing.T, vars ...string) {
	t.Helper()
	for deadline, short := range contractDeadlines {
		url := startServer(t, slices.Concat(vars, short)...).url
		awaitProbe(t, url+"/readyz", http.StatusOK)
		meets := func(r contracttest.Row) bool { return r.Deadline == deadline }
		contracttest.RunSome(t, url, "../../internal/httpd/api/testdata/contract", meets)
	}
}

func TestContractHoldsOnTheEmbeddedStore(t *testing.T) { contractHolds(t) }

func TestContractHoldsOnRedis(t *testing.T) {
	contractHolds(t, "REDIS_ENDPOINT=redis://"+testenv.Redis(t).Addr)
}

func TestContractHoldsInMemory(t *testing.T) { contractHolds(t, "STORAGE=inmemory") }

func TestMetricsAreServed(t *testing.T) {
	s := startServer(t)
	if text := s.scrape(t); !strings.Contains(text, "functions_pool_size") {
		t.Fatalf("got %s", text)
	}
}

// runnerWithoutAddon is a copy of the runner that has no fork server, as after a build without a C compiler.
func runnerWithoutAddon(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	copying := exec.Command("sh", "-c", `tar -cf - --exclude=./build --exclude=./test . | tar -xf - -C "$0"`, dir)
	copying.Dir = "../../runner-js"
	if out, err := copying.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

func TestWorkersStartWithoutTheForkServer(t *testing.T) {
	s := startServer(t, "RUNNER_DIR="+runnerWithoutAddon(t))
	put(t, s.url+"/functions/direct/f", `function main(req, res) { res.send(req.body.x + 1) }`, `"maxInvocations":1`)
	for range 3 {
		status, answer := request(t, "PUT", s.url+"/functions/direct/f/run", `{"x":1}`)
		if status != http.StatusOK || answer != "2" {
			t.Errorf("got %d %s", status, answer)
		}
	}
}
