package container

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// The test binary is also the server: with CONTAINER_TEST set it does what that says, below a first process if it is one.
func TestMain(m *testing.M) {
	role := os.Getenv("CONTAINER_TEST")
	if role == "" {
		os.Exit(m.Run())
	}
	Main(func() bool { return false }, func(err error) { fmt.Println(err) })
	switch role {
	case "exit":
		os.Exit(7)
	case "crash":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "wait":
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		fmt.Println("ready")
		fmt.Println(<-signals)
		os.Exit(3)
	case "orphans":
		orphans()
	}
}

// orphans leaves processes without a parent and says whether they were reaped: a zombie keeps its entry in /proc.
func orphans() {
	out, err := exec.Command("/bin/sh", "-c", `for i in 1 2 3; do (sleep 0.1 & echo $!); done`).Output()
	fmt.Println("left", err)
	for _, pid := range strings.Fields(string(out)) {
		for {
			if _, err := os.Stat("/proc/" + pid); err != nil {
				break // the test's own time limit ends this loop if it does not
			}
		}
	}
	fmt.Println("reaped", len(strings.Fields(string(out))))
}

// first starts the test binary as PID 1 of a PID namespace of its own.
func first(t *testing.T, role string) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.Command("unshare", "--pid", "--mount-proc", "--fork", "--kill-child", os.Args[0])
	cmd.Env = append(os.Environ(), "CONTAINER_TEST="+role)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, out
}

func TestExitCodeIsTheServers(t *testing.T) {
	for role, want := range map[string]int{"exit": 7, "crash": 128 + 9} {
		cmd, _ := first(t, role)
		_ = cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: exit code %d, want %d", role, got, want)
		}
	}
}

func TestSignalsReachTheServer(t *testing.T) {
	cmd, out := first(t, "wait")
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("it said %q", lines.Text())
	}
	if err := syscall.Kill(firstProcess(t, cmd.Process.Pid), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if !lines.Scan() || lines.Text() != "terminated" {
		t.Errorf("the server got %q", lines.Text())
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
}

// firstProcess is the only child of unshare(1).
func firstProcess(t *testing.T, parent int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
	if err != nil {
		t.Fatal(err)
	}
	var child int
	if _, err := fmt.Sscan(string(text), &child); err != nil {
		t.Fatal(err)
	}
	return child
}

func TestOrphansAreReaped(t *testing.T) {
	cmd, out := first(t, "orphans")
	text, err := io.ReadAll(out)
	if err != nil || string(text) != "left <nil>\nreaped 3\n" {
		t.Errorf("it said %q, %v", text, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestOutsideOfAContainerNothingHappens(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CONTAINER_TEST=exit")
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 7 {
		t.Errorf("exit code %d, want 7", code)
	}
}
