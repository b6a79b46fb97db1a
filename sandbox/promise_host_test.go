//go:build linux

package sandbox_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// hostState is what an attack could leave on the host: processes below this one, cgroups, files, open
// descriptors. Each is named and counted.
type hostState map[string]int

func lookAtHost(t *testing.T) hostState {
	t.Helper()
	state := hostState{}
	for _, pid := range descendants(t, os.Getpid()) {
		state["process "+strconv.Itoa(pid)]++
	}
	files, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		state["file "+file.Name()]++
	}
	for _, group := range ownGroups(t) {
		state["cgroup "+group]++
	}
	for _, target := range descriptors(t, os.Getpid()) {
		if !strings.HasPrefix(target, "anon_inode:[event") { // Go's own poller, made when it is first needed
			state["descriptor "+kindOf(target)]++
		}
	}
	return state
}

// compare says what there is now that was not there before.
func (before hostState) compare(t *testing.T) {
	t.Helper()
	after := lookAtHost(t)
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if after[name] > before[name] {
			t.Errorf("left on the host: %s (%d, before %d)", name, after[name], before[name])
		}
	}
}

// ownTempDir gives this test a temporary directory for itself, through which the root of a user namespace can walk.
func ownTempDir(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
}

// kindOf drops the number from the name of a descriptor's target: "pipe:[123]".
func kindOf(target string) string {
	kind, _, _ := strings.Cut(target, ":[")
	return kind
}

// descendants are the processes that come from pid, zombies too, by their IDs.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	children := map[int][]int{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, after, _ := strings.Cut(string(text), ") ")
		child, err1 := strconv.Atoi(strings.Split(path, "/")[2])
		parent, err2 := strconv.Atoi(strings.Fields(after)[1])
		if err1 != nil || err2 != nil {
			t.Fatalf("unreadable %s", path)
		}
		children[parent] = append(children[parent], child)
	}
	var all []int
	for next := []int{pid}; len(next) > 0; next = next[1:] {
		all = append(all, children[next[0]]...)
		next = append(next, children[next[0]]...)
	}
	slices.Sort(all)
	return all
}

// ownGroups are the cgroups that this process has made.
func ownGroups(t *testing.T) []string {
	t.Helper()
	mark := "-" + strconv.Itoa(os.Getpid()) + "-"
	var groups []string
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && strings.Contains(path, "/functions/") && strings.Contains(path, mark) {
			groups = append(groups, path)
		}
		return nil // what vanishes meanwhile is not ours
	})
	if err != nil {
		t.Fatal(err)
	}
	return groups
}

// descriptors are what the open descriptors of a process refer to, as the kernel names it.
func descriptors(t *testing.T, pid int) []string {
	t.Helper()
	links, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "fd", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil { // the one that reads the directory has been closed
			targets = append(targets, target)
		}
	}
	return targets
}

func procPath(pid int, file string) string { return filepath.Join("/proc", strconv.Itoa(pid), file) }
