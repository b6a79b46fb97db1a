package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
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
			return c, fmt.Errorf("sandbox: config: Runner: %w: name the main.js of a runner, "+
				"or leave Runner empty for the one in this program", err)
		}
	}
	if c.Runtimes, err = c.findRuntimes(ctx); err != nil {
		return c, fmt.Errorf("sandbox: config: %w", err)
	}
	if c.Runner == "" {
		dir, err := runner.Unpack(runnerjs.Files)
		if err != nil {
			return c, fmt.Errorf("sandbox: %w; set Config.Runner to the main.js of a checkout to unpack nothing", err)
		}
		c.Runner = filepath.Join(dir, "main.js")
	}
	for _, path := range []*string{&c.Runner, &c.ICUData, &c.ModulesDir, &c.Egress.Socket} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return c, fmt.Errorf("sandbox: config: %w", err)
		}
	}
	return c, nil
}

// findRuntimes are those of the configuration, or the one that Node names, with the paths of their binaries.
func (c Config) findRuntimes(ctx context.Context) ([]Runtime, error) {
	if len(c.Runtimes) > 0 {
		found := slices.Clone(c.Runtimes)
		for i := range found {
			var err error
			if found[i], err = c.resolvedRuntime(ctx, found[i]); err != nil {
				return nil, err
			}
		}
		return found, nil
	}
	node, err := c.findNode(ctx)
	if err != nil {
		return nil, err
	}
	found, err := checkNode(ctx, Runtime{Node: node})
	if err != nil {
		return nil, err
	}
	found.Name = "node" + strconv.Itoa(found.Major())
	return []Runtime{found}, nil
}

// resolvedRuntime is rt with absolute paths and its version.
func (c Config) resolvedRuntime(ctx context.Context, rt Runtime) (Runtime, error) {
	rt, err := checkNode(ctx, rt)
	if err == nil && rt.ModulesDir != "" {
		rt.ModulesDir, err = filepath.Abs(rt.ModulesDir)
	}
	if err != nil {
		return rt, fmt.Errorf("runtime %s: %w", rt.Name, err)
	}
	return rt, nil
}

// findNode is the binary that Node names; if it names none the one beside the runner, where make setup puts it, or the
// one on PATH.
func (c Config) findNode(ctx context.Context) (string, error) {
	if c.Node != "" {
		return c.Node, nil
	}
	if beside := nodeBeside(c.Runner); isFile(beside) {
		return beside, nil
	}
	return nodeOnPath(ctx)
}

// checkNode returns rt with the absolute path of its binary and its version. It fails when that does not run or is too
// old.
func checkNode(ctx context.Context, rt Runtime) (Runtime, error) {
	path, err := exec.LookPath(rt.Node)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	rt.Node = path
	if err == nil {
		rt.Version, _, err = worker.NodeVersion(ctx, path)
	}
	if err == nil && rt.Major() < oldestNode {
		err = fmt.Errorf("%s is version %s", path, rt.Version)
	}
	if err != nil {
		return rt, fmt.Errorf("find Node.js: %w: set Config.Node to the path of a binary of version %d or newer",
			err, oldestNode)
	}
	return rt, nil
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
	return "", fmt.Errorf("%w: no Node.js on PATH: install version %d or newer, or set Config.Node to its binary",
		ErrUnsupported, oldestNode)
}
