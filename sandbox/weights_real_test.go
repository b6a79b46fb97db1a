//go:build linux

package sandbox_test

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// weights counts the cgroups of this process's workers by their weight, that of a worker by itself as "whole".
// All must lie in one group, or their weights would not count beside each other.
func weights(t *testing.T) map[string]int {
	t.Helper()
	names := map[string]string{
		"16384": "whole", "10000": "whole", "8192": "half", "5000": "half", "4096": "quarter", "2500": "quarter",
		"1024": "waiting", "625": "waiting", "512": "waiting", "312": "waiting", "128": "behind", "78": "behind",
	}
	found, parents := map[string]int{}, map[string]bool{}
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, _ fs.DirEntry, err error) error {
		file := filepath.Base(path)
		ours := strings.Contains(path, fmt.Sprintf("-%d-", os.Getpid())) &&
			strings.HasPrefix(filepath.Base(filepath.Dir(path)), "slot-")
		if err == nil && ours && (file == "cpu.shares" || file == "cpu.weight") {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			parents[filepath.Dir(filepath.Dir(path))] = true
			found[names[strings.TrimSpace(string(text))]]++
		}
		return nil // a group that has gone is as good
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(parents) > 1 {
		t.Errorf("workers' groups lie in %v", slices.Sorted(maps.Keys(parents)))
	}
	return found
}

// awaitWeights returns when the cgroups weigh as they should.
func awaitWeights(t *testing.T, want map[string]int) {
	t.Helper()
	awaitWeighed(t, fmt.Sprint(want), func(got map[string]int) bool { return maps.Equal(got, want) })
}

// awaitWeighed returns what the cgroups weigh once that is so.
func awaitWeighed(t *testing.T, want string, so func(got map[string]int) bool) map[string]int {
	t.Helper()
	got := weights(t)
	for began := time.Now(); !so(got); got = weights(t) {
		if time.Since(began) > patience {
			t.Fatalf("the groups weigh %v, want %s", got, want)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return got
}

func awaitBusy(pools *sandbox.Pool, workers int) {
	for pools.Snapshot().Pool.Busy < workers {
		time.Sleep(time.Millisecond)
	}
}

func TestWorkersOfOneGroupThatBurnProcessorsShareTheWeightOfOne(t *testing.T) {
	t.Run(string(oldest), func(t *testing.T) { burnOn(t, oldest) })
	t.Run("two", func(t *testing.T) { burnOn(t, oldest, "node24") })
}

// burnOn has groups burn processors on workers of several runtimes in turn.
func burnOn(t *testing.T, versions ...version) {
	cfg := realConfig(t)
	cfg.Size, cfg.Prewarmed, cfg.AsyncTimeout, cfg.SyncTimeout = 6, 0, time.Hour, time.Hour
	var runtimes []sandbox.Runtime
	for _, v := range versions {
		runtimes = append(runtimes, sandbox.Runtime{Name: string(v), Node: v.binary(t)})
	}
	cfg.Runtimes = runtimes
	pools, err := sandbox.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := pools.Close(); err != nil {
			t.Error(err)
		}
	}()
	// What burns below leaves the fork server too little to prepare itself on a slow machine.
	for pools.Snapshot().Err != nil {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	calls := 0
	run := func(group, name, code string) {
		inv := invocation(name, code)
		inv.Group, inv.Runtime = group, runtimes[calls%len(runtimes)].Name
		calls++
		all.Go(func() {
			_, err := pools.Invoke(ctx, inv)
			wantDeath(t, name, err, sandbox.ReasonCanceled)
		})
	}
	const spin, sleep = `function main() { for (;;); }`, `function main() {}`
	run("two", "a", spin)
	run("two", "b", spin)
	run("two", "c", sleep)
	run("one", "d", spin)
	awaitBusy(pools, 4)
	awaitWeights(t, map[string]int{"half": 2, "whole": 2})
	run("two", "e", spin)
	awaitBusy(pools, 5)
	awaitWeights(t, map[string]int{"quarter": 3, "whole": 2})
	cancel()
	all.Wait()
	ctx, cancel = context.WithCancel(t.Context())
	// Whoever gets their cgroups next weighs as any. As many are of each runtime as before.
	calls = 0
	for i := range 5 {
		run("next", fmt.Sprint(i), sleep)
	}
	awaitBusy(pools, 5)
	awaitWeights(t, map[string]int{"whole": 5})
	cancel()
	all.Wait()
}

// However many calls wait, what remains to be done when they wake has a processor soon: none weighs less than a 32nd of
// a worker by itself; those that had a 16th while there were fewer keep it.
func TestWorkersOfManyCallsThatWaitWeighEnoughToWake(t *testing.T) {
	const n = 70
	pool := newRealPool(t, func(c *sandbox.Config) {
		growing(2 * n)(c)
		c.AsyncTimeout = time.Hour
	})
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			_, err := pool.Invoke(ctx, invocation("wait", `function main() { setTimeout(() => {}, 3600000) }`))
			wantDeath(t, "wait", err, sandbox.ReasonCanceled)
		})
	}
	awaitBusy(pool, n)
	// The last few are not looked at, as nothing wants their room: they may be taken to compute.
	enough := func(got map[string]int) bool { return got["waiting"] >= n-4 }
	got := awaitWeighed(t, fmt.Sprintf("%d that wait", n-4), enough)
	if got[""] > 0 {
		t.Errorf("the groups weigh %v", got)
	}
	cancel()
	all.Wait()
}
