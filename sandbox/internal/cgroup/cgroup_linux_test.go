package cgroup

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/cgroups/v3"
)

// The test binary is its own victim: with GROUP_VICTIM set it waits for a line and then does what the variable says.
func TestMain(m *testing.M) {
	switch os.Getenv("GROUP_VICTIM") {
	case "":
		os.Exit(m.Run())
	case "memory":
		awaitLine()
		for i, hog := 0, [][]byte(nil); ; i++ {
			hog = append(hog, slices.Repeat([]byte{1}, 1<<20))
			fmt.Fprintln(os.Stderr, len(hog))
		}
	case "hold":
		awaitLine()
		held := slices.Repeat([]byte{1}, 32<<20)
		fmt.Println("holds")
		_, _ = io.Copy(io.Discard, os.Stdin)
		runtime.KeepAlive(held)
	case "pids":
		awaitLine()
		answer := "allowed"
		for range 64 {
			child := exec.Command("/bin/true")
			if err := child.Start(); err != nil {
				answer = "refused"
				break
			}
			defer func() { _ = child.Wait() }() // only at the end: until then it stays a task
		}
		fmt.Println(answer)
	}
}

func awaitLine() { _, _ = bufio.NewReader(os.Stdin).ReadString('\n') }

// victim starts the test binary as kind inside group and lets it go.
func victim(t *testing.T, group Group, kind string) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "GROUP_VICTIM="+kind, "GOMAXPROCS=1")
	stdin, err := cmd.StdinPipe()
	check(t, err)
	stdout, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	check(t, group.Add(cmd.Process.Pid))
	_, err = stdin.Write([]byte("go\n"))
	check(t, err)
	return cmd, stdout
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newTree(t *testing.T) Tree {
	t.Helper()
	tree, err := New("test")
	check(t, err)
	t.Cleanup(func() { check(t, tree.Close()) })
	return tree
}

func newGroup(t *testing.T, limits Limits) Group {
	t.Helper()
	return groupOf(t, newTree(t), limits)
}

func groupOf(t *testing.T, tree Tree, limits Limits) Group {
	t.Helper()
	group, err := tree.Group("worker-1", limits)
	check(t, err)
	t.Cleanup(func() { check(t, group.Remove()) })
	return group
}

func TestMemoryLimitKillsAndIsCounted(t *testing.T) {
	group := newGroup(t, Limits{Memory: 48 << 20, CPU: 1, PIDs: 64})
	before, err := group.OOMKills()
	check(t, err)
	if reached, err := group.ReachedLimit(); err != nil || reached {
		t.Fatalf("an empty group has reached its limit: %v", err)
	}
	cmd, _ := victim(t, group, "memory")
	_ = cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		t.Fatalf("victim ended with %v, want SIGKILL", cmd.ProcessState)
	}
	after, err := group.OOMKills()
	check(t, err)
	if after != before+1 {
		t.Fatalf("OOM kills went from %d to %d, want one more", before, after)
	}
	if reached, err := group.ReachedLimit(); err != nil || !reached {
		t.Errorf("the limit was not reached: %v", err)
	}
	check(t, group.Renew())
	if reached, err := group.ReachedLimit(); err != nil || reached {
		t.Errorf("the limit is still reached: %v", err)
	}
}

func TestALimitAboveIsNotTheGroupsOwn(t *testing.T) {
	tree := newTree(t)
	group := groupOf(t, tree, Limits{Memory: 256 << 20, CPU: 1, PIDs: 64})
	check(t, tree.Bound(48<<20))
	check(t, group.Renew())
	cmd, _ := victim(t, group, "memory")
	_ = cmd.Wait()
	if kills, err := group.OOMKills(); err != nil || kills == 0 {
		t.Errorf("%d were killed: %v", kills, err)
	}
	if reached, err := group.ReachedLimit(); err != nil || reached {
		t.Errorf("the group's own limit was reached: %v", err)
	}
}

func TestTreeCountsTheMemoryOfItsGroups(t *testing.T) {
	tree := newTree(t)
	group := groupOf(t, tree, Limits{Memory: 256 << 20, CPU: 1, PIDs: 64})
	cmd, stdout := victim(t, group, "hold")
	defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
	_, err := bufio.NewReader(stdout).ReadString('\n')
	check(t, err)
	const least = 31 << 20
	var usage Memory
	for range 1200 { // the kernel's statistics may be two seconds old: they have a minute
		usage, err = tree.Memory()
		check(t, err)
		if usage.Anonymous >= least && usage.Total >= usage.Anonymous {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%+v, at least %d bytes are in use", usage, least)
}

func TestPIDLimitRefusesTasks(t *testing.T) {
	group := newGroup(t, Limits{Memory: 256 << 20, CPU: 1, PIDs: 24})
	cmd, stdout := victim(t, group, "pids")
	answer, err := io.ReadAll(stdout)
	check(t, err)
	_ = cmd.Wait()
	if string(answer) != "refused\n" {
		t.Fatalf("victim said %q, want refused", answer)
	}
}

func TestGroupHoldsItsLimits(t *testing.T) {
	group := newGroup(t, Limits{Memory: 64 << 20, CPU: 0.25, PIDs: 24})
	expectLimits(t, "67108864", "5000")
	for _, step := range []struct {
		memory        int64
		cpu           float64
		bytes, period string
	}{
		{32 << 20, 0.5, "33554432", "10000"},
		{128 << 20, 0.125, "134217728", "2500"},
		{64 << 20, 0.25, "67108864", "5000"},
	} {
		check(t, group.Limit(step.memory, step.cpu))
		expectLimits(t, step.bytes, step.period)
	}
}

func TestALimitThatWasLoweredKills(t *testing.T) {
	group := newGroup(t, Limits{Memory: 512 << 20, CPU: 1, PIDs: 64})
	check(t, group.Limit(64<<20, 1))
	check(t, group.Renew())
	cmd, _ := victim(t, group, "memory")
	_ = cmd.Wait()
	if kills, err := group.OOMKills(); err != nil || kills != 1 {
		t.Errorf("%d kills, %v", kills, err)
	}
	if reached, err := group.ReachedLimit(); err != nil || !reached {
		t.Errorf("the limit was reached: %v, %v", reached, err)
	}
}

// expectLimits looks at the files of the group that newGroup has made.
func expectLimits(t *testing.T, memory, quota string) {
	t.Helper()
	want := map[string]string{
		"memory.limit_in_bytes": memory, "memory.memsw.limit_in_bytes": memory, "memory.max": memory,
		"cpu.cfs_quota_us": quota, "cpu.max": quota + " 20000", "pids.max": "24",
	}
	seen := 0
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, _ os.DirEntry, err error) error {
		if err == nil && strings.Contains(path, "/"+dirName+"/") && strings.HasSuffix(filepath.Dir(path), "/worker-1-test") {
			if value, ok := want[filepath.Base(path)]; ok {
				text, err := os.ReadFile(path)
				check(t, err)
				if got := strings.TrimSpace(string(text)); got != value {
					t.Errorf("%s is %s, want %s", filepath.Base(path), got, value)
				}
				seen++
			}
		}
		return nil
	})
	check(t, err)
	if seen < 3 {
		t.Fatalf("found %d limits, want at least memory, CPU and PIDs", seen)
	}
}

// On version 2 all groups beside each other weigh the same unless they are told otherwise, and the server is in one as well.
func TestWorkersTogetherWeighAsMuchAsTwoThreadsForEachProcessor(t *testing.T) {
	newGroup(t, Limits{Memory: 64 << 20, CPU: 1, PIDs: 24})
	seen := 0
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, _ os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "/"+dirName+"/cpu.shares") {
			text, err := os.ReadFile(path)
			check(t, err)
			if got, want := strings.TrimSpace(string(text)), strconv.Itoa(2*1024*runtime.GOMAXPROCS(0)); got != want {
				t.Errorf("%s is %s, want %s", path, got, want)
			}
			seen++
		}
		return nil
	})
	check(t, err)
	if version1 := cgroups.Mode() != cgroups.Unified; version1 && seen == 0 {
		t.Error("no group of all workers was found")
	}
}

// A group of one tree must count beside one of another as beside its own, and stay when the other tree is closed.
func TestGroupsOfAllTreesLieBesideEachOther(t *testing.T) {
	first, err := New("test-1")
	check(t, err)
	second, err := New("test-11")
	check(t, err)
	limits := Limits{Memory: 64 << 20, CPU: 1, PIDs: 24}
	one, err := first.Group("worker-1", limits)
	check(t, err)
	other, err := second.Group("worker-1", limits)
	check(t, err)
	parents := map[string]int{} // of groups that have a weight
	found := func() {
		clear(parents)
		check(t, filepath.WalkDir("/sys/fs/cgroup", func(path string, _ os.DirEntry, err error) error {
			group, name := filepath.Dir(path), filepath.Base(path)
			ours := strings.Contains(group, fmt.Sprintf("-%d-", os.Getpid())) && strings.Contains(group, "/worker-1-test-1")
			if err == nil && ours && (name == "cpu.shares" || name == "cpu.weight") {
				parents[filepath.Dir(group)]++
			}
			return nil
		}))
	}
	found()
	if len(parents) != 1 {
		t.Errorf("the groups of two trees lie in %v", parents)
	}
	check(t, one.Remove())
	check(t, first.Close())
	found()
	for parent, n := range parents {
		if n != 1 {
			t.Errorf("%s has %d groups after the end of one tree, want that of the other", parent, n)
		}
	}
	if len(parents) != 1 {
		t.Errorf("after the end of one tree the groups lie in %v", parents)
	}
	check(t, other.Weigh(512))
	check(t, other.Remove())
	check(t, second.Close())
}

// Two groups that keep to their own limits have less together, and the kernel ends one that takes the rest.
func TestAllGroupsTogetherKeepToABound(t *testing.T) {
	tree, err := New("test")
	check(t, err)
	for range 2 { // as each tree of a process does
		check(t, tree.Bound(64<<20))
	}
	limits := Limits{Memory: 64 << 20, CPU: 1, PIDs: 64}
	var groups []Group
	for i := range 3 {
		group, err := tree.Group(fmt.Sprint("worker-", i), limits)
		check(t, err)
		groups = append(groups, group)
		cmd, stdout := victim(t, group, "hold")
		_, _ = bufio.NewReader(stdout).ReadString('\n') // it holds all, or has ended
		defer func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			check(t, group.Remove())
			if i == 0 {
				check(t, tree.Close())
			}
		}()
	}
	used, err := tree.Used()
	check(t, err)
	kills := uint64(0)
	for _, group := range groups {
		n, err := group.OOMKills()
		check(t, err)
		kills += n
	}
	if kills == 0 || used > 64<<20 {
		t.Errorf("of three that take 32 MB each, 64 being allowed, %d were ended; %d bytes are used", kills, used)
	}
}

func TestSweepRemovesOnlyTheTreesOfTheDead(t *testing.T) {
	dir := t.TempDir()
	live, err := instanceName(os.Getpid())
	check(t, err)
	namespace, _, _ := strings.Cut(live, "-")
	names := map[string]bool{ // name → stays
		live: true,
		fmt.Sprintf("%s-%d-1", namespace, os.Getpid()): false, // our PID, another start: dead
		namespace + "-4194303-5":                       false,
		"1-4194303-5":                                  true, // another PID namespace
		"someone-elses":                                true,
	}
	for name := range names {
		check(t, os.MkdirAll(filepath.Join(dir, name, "worker-1"), 0o755))
	}
	sweep(dir, namespace+"-0-0")
	for name, stays := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != stays {
			t.Errorf("%s: stays = %v, want %v", name, err == nil, stays)
		}
	}
}
