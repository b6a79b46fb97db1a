package sandbox_test

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// weights counts the control groups of this process's workers by their weight, that of a worker by itself as "whole".
func weights(t *testing.T) map[string]int {
	t.Helper()
	names := map[string]string{"1024": "whole", "100": "whole", "512": "half", "50": "half", "256": "quarter", "25": "quarter"}
	found := map[string]int{}
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, _ fs.DirEntry, err error) error {
		file := filepath.Base(path)
		ours := strings.Contains(path, fmt.Sprintf("-%d-", os.Getpid())) && strings.HasPrefix(filepath.Base(filepath.Dir(path)), "slot-")
		if err == nil && ours && (file == "cpu.shares" || file == "cpu.weight") {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			found[names[strings.TrimSpace(string(text))]]++
		}
		return nil // a group that has gone is as good
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// awaitWeights returns when the control groups weigh as they should.
func awaitWeights(t *testing.T, want map[string]int) {
	t.Helper()
	got := weights(t)
	for began := time.Now(); !maps.Equal(got, want); got = weights(t) {
		if time.Since(began) > patience {
			t.Fatalf("the groups weigh %v, want %v", got, want)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func awaitBusy(pool *sandbox.Pool, workers int) {
	for pool.Stats().Busy < workers {
		time.Sleep(time.Millisecond)
	}
}

func TestWorkersOfOneGroupThatBurnProcessorsShareTheWeightOfOne(t *testing.T) {
	pool := newRealPool(t, func(c *sandbox.Config) {
		c.Size, c.Prewarmed, c.AsyncTimeout, c.SyncTimeout = 6, 0, time.Hour, time.Hour
	})
	for pool.Ready() != nil { // what burns below leaves the fork server too little to prepare itself on a slow machine
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	run := func(group, name, code string) {
		all.Go(func() {
			inv := invocation(name, code)
			inv.Group = group
			_, err := pool.Invoke(ctx, inv)
			wantDeath(t, name, err, sandbox.ReasonCanceled)
		})
	}
	const spin, sleep = `function main() { for (;;); }`, `function main() {}`
	run("two", "a", spin)
	run("two", "b", spin)
	run("two", "c", sleep)
	run("one", "d", spin)
	awaitBusy(pool, 4)
	awaitWeights(t, map[string]int{"half": 2, "whole": 2})
	run("two", "e", spin)
	awaitBusy(pool, 5)
	awaitWeights(t, map[string]int{"quarter": 3, "whole": 2})
	cancel()
	all.Wait()
	ctx, cancel = context.WithCancel(t.Context())
	for i := range 5 { // whoever gets their control groups next weighs as any
		run("next", fmt.Sprint(i), sleep)
	}
	awaitBusy(pool, 5)
	awaitWeights(t, map[string]int{"whole": 5})
	cancel()
	all.Wait()
}
