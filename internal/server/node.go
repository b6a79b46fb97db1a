package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/runtimes"
	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/hostinfo"
)

// nodeInstall is the program that runs functions and the versions of Node.js to run it.
type nodeInstall struct {
	runner string
	// modules is the absolute path of MODULES_DIR, empty for none.
	modules string
	// runtimes has at least one; versions are the versions that they report, in the same order.
	runtimes []sandbox.Runtime
	versions []string
}

// namesOf is a readable list of runtimes.
func namesOf(all []sandbox.Runtime) string {
	texts := make([]string, len(all))
	for i, runtime := range all {
		texts[i] = runtime.Name + " (" + runtime.Version + ")"
	}
	return strings.Join(texts, ", ")
}

// oldestNode is the oldest major version that can parse the runner.
const oldestNode = 8

// findNode finds the runner and its Node.js, which make setup fetches, and checks that they run. The error contains all
// errors.
func findNode(ctx context.Context, cfg *config.Config) (*nodeInstall, error) {
	dir, err := runnerDir(cfg.RunnerDir)
	var faults []error
	if err != nil {
		faults = append(faults, err)
	}
	node := &nodeInstall{runner: filepath.Join(dir, "main.js"), runtimes: slices.Clone(cfg.Runtimes)}
	variable, hint := "RUNTIMES", "name the path of a Node.js binary"
	if len(node.runtimes) == 0 {
		variable = "NODE_BINARY"
		binary := cfg.NodeBinary
		if binary == "" {
			if err != nil {
				return nil, err // it would be there
			}
			binary, hint = defaultNode(dir, cfg.DataDir), "run make setup, or functions runtimes add node8, or set NODE_BINARY"
		}
		node.runtimes = []sandbox.Runtime{{Node: binary}}
	}
	if node.modules, err = modulesDir("MODULES_DIR", cfg.ModulesDir); err != nil {
		faults = append(faults, err)
	}
	for i := range node.runtimes {
		rt := &node.runtimes[i]
		version, major, err := probeNode(ctx, rt)
		if errors.Is(err, os.ErrNotExist) {
			err = fmt.Errorf("no Node.js at %s: %s", rt.Node, hint)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", named(variable, rt.Name), err))
		}
		node.versions = append(node.versions, version)
		if rt.Name == "" {
			rt.Name = "node" + strconv.Itoa(major)
		}
		if *rt, err = withModules(*rt, cfg.RuntimeModules); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return node, nil
}

// defaultNode is the Node.js beside the runner; if that is not there, the installed node8.
func defaultNode(runner, dataDir string) string {
	beside := filepath.Join(runner, "node_modules", "node-linux-"+nodeArch(), "bin", "node")
	if _, err := os.Stat(beside); err == nil {
		return beside
	}
	if rt, ok, err := runtimes.In(dataDir).Find("node8"); err == nil && ok {
		return rt.Node
	}
	return beside
}

// addInstalled adds the installed runtimes that run to those of RUNTIMES, for a program that does not follow changes.
func (n *nodeInstall) addInstalled(ctx context.Context, cfg *config.Config) error {
	keeper := runtimeKeeper{dirs: runtimeDirs(cfg, n.runner), given: n.runtimes, modules: cfg.RuntimeModules}
	wanted, err := keeper.wanted()
	if err != nil {
		return err
	}
	for _, rt := range wanted[len(n.runtimes):] {
		if version, _, err := probeNode(ctx, &rt); err == nil {
			n.runtimes, n.versions = append(n.runtimes, rt), append(n.versions, version)
		}
	}
	return nil
}

// named is the variable, with the runtime if it names one.
func named(variable, name string) string {
	if name == "" {
		return variable
	}
	return variable + ": " + name
}

// probeNode makes the path of a runtime absolute and asks the binary for its version.
func probeNode(ctx context.Context, rt *sandbox.Runtime) (version string, major int, err error) {
	if rt.Node, err = filepath.Abs(rt.Node); err != nil {
		return "", 0, err
	}
	if _, err := os.Stat(rt.Node); err != nil {
		return "", 0, err
	}
	if version, major, err = hostinfo.NodeVersion(ctx, rt.Node); err != nil {
		return "", 0, err
	}
	if major < oldestNode {
		return "", 0, fmt.Errorf("%s is Node.js %s, and %d is the oldest that will do", rt.Node, version, oldestNode)
	}
	return version, major, nil
}

// runnerDir is the directory of the runner: the configured one, or the first that exists next to the binary, above it,
// in the working directory and where the container image has it.
func runnerDir(asked string) (string, error) {
	candidates := []string{asked}
	if asked == "" {
		candidates = []string{"runner-js", "/usr/share/functions/runner-js"}
		if exe, err := os.Executable(); err == nil {
			beside := filepath.Dir(exe)
			candidates = append([]string{filepath.Join(beside, "runner-js"), filepath.Join(beside, "..", "runner-js")},
				candidates...)
		}
	}
	for _, dir := range candidates {
		if _, err := os.Stat(filepath.Join(dir, "main.js")); err == nil {
			return filepath.Abs(dir)
		}
	}
	return "", fmt.Errorf("RUNNER_DIR: main.js of the runner is in none of %s", strings.Join(candidates, ", "))
}

// nodeArch is what Node.js calls this architecture.
func nodeArch() string {
	if runtime.GOARCH == "amd64" {
		return "x64"
	}
	return runtime.GOARCH
}
