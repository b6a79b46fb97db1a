package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/backstage/functions/internal/config"
)

// nodeInstall is the Node.js that runs functions and the program that it runs.
type nodeInstall struct {
	binary, runner string
	version        string
}

// oldestNode is the oldest major version that the runner parses on.
const oldestNode = 8

// findNode finds the runner and its Node.js, which make setup fetches, and makes sure that it runs.
func findNode(ctx context.Context, cfg *config.Config) (*nodeInstall, error) {
	dir, err := runnerDir(cfg.RunnerDir)
	if err != nil {
		return nil, err
	}
	node := &nodeInstall{binary: cfg.NodeBinary, runner: filepath.Join(dir, "main.js")}
	if node.binary == "" {
		node.binary = filepath.Join(dir, "node_modules", "node-linux-"+nodeArch(), "bin", "node")
	}
	if node.binary, err = filepath.Abs(node.binary); err != nil {
		return nil, err
	}
	if _, err := os.Stat(node.binary); err != nil {
		return nil, fmt.Errorf("NODE_BINARY: Node.js is not at %s: run make setup, or set NODE_BINARY", node.binary)
	}
	out, err := exec.CommandContext(ctx, node.binary, "--version").Output()
	node.version = strings.TrimSpace(string(out))
	match := regexp.MustCompile(`^v(\d+)\.\d+\.\d+`).FindStringSubmatch(node.version)
	if err != nil || match == nil {
		return nil, fmt.Errorf("NODE_BINARY: %s does not run as Node.js: %w", node.binary, errors.Join(err, errors.New("its --version says "+strconv.Quote(node.version))))
	}
	if major, err := strconv.Atoi(match[1]); err != nil || major < oldestNode {
		return nil, fmt.Errorf("NODE_BINARY: %s is Node.js %s, and %d is the oldest that will do", node.binary, node.version, oldestNode)
	}
	return node, nil
}

// runnerDir is the directory of the runner: the one asked for, or the first that there is beside the binary, above it, in the working
// directory and where the container image has it.
func runnerDir(asked string) (string, error) {
	candidates := []string{asked}
	if asked == "" {
		candidates = []string{"runner-js", "/usr/share/functions/runner-js"}
		if exe, err := os.Executable(); err == nil {
			beside := filepath.Dir(exe)
			candidates = append([]string{filepath.Join(beside, "runner-js"), filepath.Join(beside, "..", "runner-js")}, candidates...)
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
