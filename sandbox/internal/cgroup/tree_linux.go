package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/containerd/cgroups/v3"
)

// dirName is the group below our own one that holds all trees of workers.
const dirName = "functions"

// New makes a tree called name below the cgroup of this process and removes what dead processes of this program
// left there. The groups of all trees of a process lie beside each other, so that each counts for its own weight,
// whatever tree it is of:
//
//	functions/<instance>/<group>-<tree>
func New(name string) (Tree, error) { return treeBelow(dirName, name) }

// NewBeside makes a tree called name that Bound, Used and Memory of those of New say nothing about: it lies beside
// them, in functions-<name>.
func NewBeside(name string) (Tree, error) { return treeBelow(dirName+"-"+name, name) }

// treeBelow makes a tree below the group dir of ours.
func treeBelow(dir, name string) (Tree, error) {
	instance, err := instanceName(os.Getpid())
	if err != nil {
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	switch cgroups.Mode() {
	case cgroups.Unified:
		return newV2(dir, instance, name)
	case cgroups.Legacy, cgroups.Hybrid:
		return newV1(dir, instance, name)
	case cgroups.Unavailable:
	}
	return nil, fmt.Errorf("%w: no hierarchy is mounted at /sys/fs/cgroup", ErrUnsupported)
}

// instanceName names a tree such that another process can tell whether its owner lives: PID namespace, PID, start time.
func instanceName(pid int) (string, error) {
	namespace, err := os.Readlink("/proc/self/ns/pid") // pid:[4026531836]
	if err != nil {
		return "", err
	}
	start, err := startTime(pid)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s-%d-%s", strings.Trim(namespace, "pid:[]"), pid, start), nil
}

// startTime is field 22 of /proc/PID/stat, in clock ticks since boot: proc(5).
func startTime(pid int) (string, error) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return "", err
	}
	_, after, ok := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	if !ok || len(fields) < 20 {
		return "", errors.New("unreadable /proc stat")
	}
	return fields[19], nil
}

// sweep removes below dir the trees whose owners are dead. Groups that still hold processes, or that belong to another
// PID namespace, stay.
func sweep(dir, self string) {
	namespace, _, _ := strings.Cut(self, "-")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // nothing was left
	}
	for _, entry := range entries {
		parts := strings.Split(entry.Name(), "-")
		if !entry.IsDir() || len(parts) != 3 || parts[0] != namespace || entry.Name() == self {
			continue
		}
		pid, err := strconv.Atoi(parts[1])
		if err != nil {
			continue
		}
		if start, err := startTime(pid); err == nil && start == parts[2] {
			continue // its owner lives
		}
		removeTree(filepath.Join(dir, entry.Name()))
	}
}

// groupName names a group within the directory of the instance.
func groupName(tree, group string) string { return group + "-" + tree }

// closeTree removes what is left of the groups of a tree and, with the last one, the directory of the instance.
func closeTree(instance, tree string) {
	entries, err := os.ReadDir(instance)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.IsDir() && strings.HasSuffix(entry.Name(), groupName(tree, "")) {
			removeTree(filepath.Join(instance, entry.Name()))
		}
	}
	_ = os.Remove(instance) // there may be another tree in it
}

// removeTree removes dir and the groups in it, as far as they are empty.
func removeTree(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.IsDir() {
			removeTree(filepath.Join(dir, entry.Name()))
		}
	}
	_ = os.Remove(dir) // a group with processes stays: the next sweep's
}

// writeNumber writes to a file of the kernel's.
func writeNumber(file string, number int64) error {
	//nolint:gosec // the file is there, with a mode of its own
	if err := os.WriteFile(file, strconv.AppendInt(nil, number, 10), 0o644); err != nil {
		return fmt.Errorf("cgroup: %w", err)
	}
	return nil
}

// readSize reads a file of the kernel's that holds a number of bytes.
func readSize(file string) (int64, error) {
	size, err := readNumber(file)
	if err != nil {
		return 0, fmt.Errorf("cgroup: %w", err)
	}
	return int64(size), nil
}

// explain adds to a refusal of the kernel what to do about it.
func explain(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) ||
		strings.Contains(err.Error(), "read-only file system") {
		return fmt.Errorf("%w (run as root, or in a delegated subtree such as systemd's Delegate=yes, "+
			"with /sys/fs/cgroup writable)", err)
	}
	return err
}
