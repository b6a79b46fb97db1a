package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary is the program: under this name it does what its input says.
const victimName = "victim"

func TestMain(m *testing.M) {
	if os.Args[0] == victimName {
		os.Exit(victim())
	}
	os.Exit(m.Run())
}

func victim() int {
	order, err := io.ReadAll(os.Stdin)
	if err != nil {
		return 99
	}
	switch string(order) {
	case "memory":
		for hog := [][]byte(nil); ; {
			hog = append(hog, slices.Repeat([]byte{1}, 1<<20))
			runtime.KeepAlive(hog)
		}
	case "spin":
		for n := 0; ; n++ {
			runtime.KeepAlive(n)
		}
	case "sleep":
		select {}
	case "write":
		for {
			fmt.Println(strings.Repeat("x", 1000))
		}
	case "fail":
		fmt.Fprintln(os.Stderr, "this is why")
		return 3
	case "look":
		look()
	case "files":
		fmt.Print(fill())
	default:
		fmt.Printf("read %d", len(order))
	}
	return 0
}

// look writes what a run can reach that it should not.
func look() {
	for _, path := range []string{"/etc/passwd", "/proc/self", "/home", "/var"} {
		if _, err := os.Stat(path); err == nil {
			fmt.Println("found", path)
		}
	}
	if _, err := net.Dial("unix", "/none"); !errors.Is(err, unix.EPERM) {
		fmt.Println("a socket:", err)
	}
	if err := os.WriteFile("/x", nil, 0o600); err == nil {
		fmt.Println("wrote to the root")
	}
	if os.Getuid() == 0 {
		fmt.Println("it is root")
	}
	if variables := os.Environ(); len(variables) != 1 {
		fmt.Println("it has", variables)
	}
}

// fill makes files until it may not, and says whether a large one can be made.
func fill() string {
	dir, count := os.Getenv("TMPDIR"), 0
	for ; count < 1000; count++ {
		if os.WriteFile(filepath.Join(dir, fmt.Sprint(count)), nil, 0o600) != nil {
			break
		}
	}
	large := os.WriteFile(filepath.Join(dir, "0"), make([]byte, 9<<20), 0o600) == nil
	return fmt.Sprintf("%d files, large %v", count, large)
}

// runner is one of a tier.
func runner(t *testing.T, name string, groups, jail bool) *Runner {
	t.Helper()
	if os.Geteuid() != 0 && groups {
		t.Skip("cgroups need root here")
	}
	memory := int64(256 << 20)
	if !groups {
		memory *= 3 // the race detector asks for more than it uses
	}
	r, err := New(Config{
		Name: name, Path: "/proc/self/exe", Args: []string{victimName}, Groups: groups, Jail: jail,
		Limits: Limits{
			Memory: memory, CPU: 2, PIDs: 64, Tmp: 8 << 20, TmpFiles: 100,
			CPUTime: time.Second, Time: time.Minute, Output: 1 << 20,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// tiers are strict, process and none; for a user without rights to cgroups, none and a jail without them.
func tiers(t *testing.T, test func(t *testing.T, r *Runner)) {
	t.Helper()
	type tier struct {
		name         string
		groups, jail bool
	}
	all := []tier{{"strict", true, true}, {"process", true, false}, {"none", false, false}}
	if os.Geteuid() != 0 {
		all = []tier{{"none", false, false}, {"jail", false, true}}
	}
	for _, tier := range all {
		t.Run(tier.name, func(t *testing.T) { test(t, runner(t, "runs", tier.groups, tier.jail)) })
	}
}

func TestARunEndsAtItsLimits(t *testing.T) {
	tiers(t, func(t *testing.T, r *Runner) {
		for _, row := range []struct {
			order string
			end   End
			out   string
			words string
		}{
			{order: "hello", end: Done, out: "read 5"},
			{order: "memory", end: Memory},
			{order: "spin", end: Time},
			{order: "write", end: Output},
			{order: "fail", end: Exit, words: "this is why"},
			{order: strings.Repeat("x", 3<<20), end: Done, out: "read 3145728"},
		} {
			result, err := r.Run(t.Context(), strings.NewReader(row.order))
			if err != nil {
				t.Fatal(err)
			}
			end := row.end
			switch {
			case row.end == Memory && r.tree == nil && r.jailer != nil:
				continue // nothing bounds it
			case row.end == Memory && r.tree == nil:
				end = Exit // it is refused memory
			}
			if result.End != end || row.out != "" && string(result.Stdout) != row.out ||
				!strings.Contains(result.Stderr, row.words) {
				t.Errorf("%.10s: %s, %d, %.100s, %.1000s", row.order, result.End, result.ExitCode, result.Stdout, result.Stderr)
			}
		}
	})
}

func TestARunInAJailReachesNothing(t *testing.T) {
	r := runner(t, "runs", os.Geteuid() == 0, true)
	for order, want := range map[string]string{"look": "", "files": "99 files, large false"} {
		result, err := r.Run(t.Context(), strings.NewReader(order))
		if err != nil {
			t.Fatal(err)
		}
		if os.Geteuid() != 0 { // in its namespace it has no other ID
			result.Stdout = bytes.TrimPrefix(result.Stdout, []byte("it is root\n"))
		}
		if string(result.Stdout) != want || result.End != Done {
			t.Errorf("%s: %s, %q, %s", order, result.End, result.Stdout, result.Stderr)
		}
	}
}

func TestARunWithoutAJailLeavesNoFiles(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	r := runner(t, "runs", false, false)
	result, err := r.Run(t.Context(), strings.NewReader("files"))
	if err != nil || string(result.Stdout) != "1000 files, large false" {
		t.Errorf("%+v, %v", result, err)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("it has left %v, %v", left, err)
	}
}

func TestTheEndOfAContextEndsTheRun(t *testing.T) {
	tiers(t, func(t *testing.T, r *Runner) {
		cause := errors.New("the caller has gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		asked := &onRead{Reader: bytes.NewReader([]byte("sleep")), then: func() { cancel(cause) }}
		if result, err := r.Run(ctx, asked); !errors.Is(err, cause) {
			t.Errorf("%+v, %v", result, err)
		}
	})
}

// onRead calls then when everything has been read.
type onRead struct {
	io.Reader
	then func()
}

func (r *onRead) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil {
		r.then()
	}
	return n, err
}

func TestRunsBesideEachOther(t *testing.T) {
	r := runner(t, "runs", true, true)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 5 {
				if result, err := r.Run(t.Context(), strings.NewReader("four")); err != nil || string(result.Stdout) != "read 4" {
					t.Errorf("%+v, %v", result, err)
				}
			}
		})
	}
	all.Wait()
	if len(r.slots) > 4 {
		t.Errorf("%d slots were made", len(r.slots))
	}
}
