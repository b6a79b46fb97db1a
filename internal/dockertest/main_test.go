//go:build docker

package dockertest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The project as docker-compose.yml describes it, on ports that were free.
var (
	project = "functions-test-" + strconv.Itoa(os.Getpid())
	server  string // the API's URL
	metrics string // that of the metrics
)

// patience bounds every wait for the daemon.
const patience = 2 * time.Minute

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ports, err := freePorts(2)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	server, metrics = "http://localhost:"+ports[0], "http://localhost:"+ports[1]
	os.Setenv("FUNCTIONS_PORT", ports[0])
	os.Setenv("FUNCTIONS_METRICS_PORT", ports[1])
	defer func() {
		if out, err := compose("down", "--volumes", "--timeout", "20"); err != nil {
			fmt.Fprintln(os.Stderr, err, out)
		}
	}()
	if err := up(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// freePorts asks the kernel for ports that nobody listens on.
func freePorts(count int) ([]string, error) {
	var ports []string
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close() // only once all are known, or two could be the same
		ports = append(ports, strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	}
	return ports, nil
}

// up starts all services and waits until the server's own health check is content.
func up() error {
	if out, err := compose("up", "--detach", "--no-build"); err != nil {
		return fmt.Errorf("up: %w\n%s", err, out)
	}
	return healthy()
}

func healthy() error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		id, err := container()
		if err != nil {
			return err
		}
		status, err := docker("inspect", "--format", "{{.State.Health.Status}}", id)
		if err != nil {
			return err
		}
		if status == "healthy" {
			return nil
		}
	}
	logs, _ := compose("logs", "functions")
	return fmt.Errorf("the server did not become healthy:\n%s", logs)
}

// container is the ID of the server's.
func container() (string, error) {
	return compose("ps", "--quiet", "functions")
}

func docker(args ...string) (string, error) { return command(fields("DOCKER", "docker"), args) }

func compose(args ...string) (string, error) {
	return command(fields("DOCKER_COMPOSE", "docker compose"), append([]string{"--project-name", project}, args...))
}

// fields are the words of a command that a variable may choose.
func fields(variable, usual string) []string {
	if chosen := strings.Fields(os.Getenv(variable)); len(chosen) > 0 {
		return chosen
	}
	return strings.Fields(usual)
}

// command runs a program at the top of the repository and returns what it printed; of its errors, only if it failed.
func command(program, args []string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program[0], append(program[1:], args...)...)
	cmd.Dir = "../.."
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	text := strings.TrimSpace(stdout.String())
	if err != nil {
		return text, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	return text, nil
}
