package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	runnerjs "github.com/backstage/functions/runner-js"
	"github.com/backstage/functions/sandbox/internal/runner"
	"github.com/backstage/functions/sandbox/internal/worker"
)

// oldestNode is the oldest major version of Node.js that the runner parses on.
const oldestNode = 8

// resolved is c with what it leaves open found, and with paths that lead to the same from any directory: workers start
// in another one.
func (c Config) resolved(ctx context.Context) (Config, error) {
	var err error
	if c.Runner != "" {
		if _, err = os.Stat(c.Runner); err != nil {
			return c, fmt.Errorf("sandbox: config: Runner: %w: name the main.js of a runner, or leave Runner empty for the one in this program", err)
		}
	}
	if c.Node, err = c.findNode(ctx); err != nil {
		return c, fmt.Errorf("sandbox: config: %w", err)
	}
	if c.Runner == "" {
		dir, err := runner.Unpack(runnerjs.Files)
		if err != nil {
			return c, fmt.Errorf("sandbox: %w; set Config.Runner to the main.js of a checkout to unpack nothing", err)
		}
		c.Runner = filepath.Join(dir, "main.js")
	}
	for _, path := range []*string{&c.Node, &c.Runner, &c.ICUData, &c.ModulesDir, &c.Egress.Socket} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return c, fmt.Errorf("sandbox: config: %w", err)
		}
	}
	return c, nil
}

// findNode is the binary that Node names; if it names none the one beside the runner, where make setup puts it, or the
// one on PATH.
func (c Config) findNode(ctx context.Context) (string, error) {
	node := c.Node
	if beside := nodeBeside(c.Runner); node == "" && isFile(beside) {
		node = beside
	}
	if node == "" {
		found, err := nodeOnPath(ctx)
		if err != nil {
			return "", err
		}
		node = found
	}
	path, err := exec.LookPath(node)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	var version string
	var major int
	if err == nil {
		version, major, err = worker.NodeVersion(ctx, path)
	}
	if err != nil {
		return "", fmt.Errorf("find Node.js: %w: set Config.Node to the path of a binary, version %d or newer", err, oldestNode)
	}
	if major < oldestNode {
		return "", fmt.Errorf("find Node.js: %s is version %s: set Config.Node to one of version %d or newer", path, version, oldestNode)
	}
	return path, nil
}

// nodeBeside is where make setup puts Node.js beside a runner.
func nodeBeside(program string) string {
	arch := runtime.GOARCH
	if arch == "amd64" {
		arch = "x64"
	}
	return filepath.Join(filepath.Dir(program), "node_modules", "node-linux-"+arch, "bin", "node")
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// nodeOnPath asks the program of that name where its binary lies: it may be a script that starts the one of a project.
func nodeOnPath(ctx context.Context) (string, error) {
	for _, name := range []string{"node", "nodejs"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		cmd := exec.CommandContext(ctx, path, "-p", "process.execPath")
		for _, variable := range os.Environ() {
			if !strings.HasPrefix(variable, "NODE_") { // NODE_OPTIONS may hold what workers are not started with
				cmd.Env = append(cmd.Env, variable)
			}
		}
		out, err := cmd.Output()
		if binary := strings.TrimSpace(string(out)); err == nil && isFile(binary) {
			return binary, nil
		}
	}
	return "", fmt.Errorf("%w: no Node.js on PATH: install version %d or newer, or set Config.Node to its binary", ErrUnsupported, oldestNode)
}
