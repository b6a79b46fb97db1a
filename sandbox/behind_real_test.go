//go:build linux

package sandbox_test

import (
	"maps"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// TestAWorkerCountsForLittleWhileItServesACallThatGivesWay has one worker of each runtime serve calls of both kinds in
// turn, and looks at its cgroup while they run.
func TestAWorkerCountsForLittleWhileItServesACallThatGivesWay(t *testing.T) {
	cfg := realConfig(t)
	cfg.Size, cfg.Prewarmed = 1, 0
	for _, v := range versions {
		t.Run(string(v), func(t *testing.T) {
			cfg.Node = v.binary(t)
			pool, err := sandbox.New(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := pool.Close(); err != nil {
					t.Error(err)
				}
			}()
			for pool.Snapshot().Err != nil {
				time.Sleep(time.Millisecond)
			}
			for _, background := range []bool{true, false, false, true, true, false} {
				inv := invocation("f", `function main(req, res) { console.log('runs'); res.send(1) }`)
				inv.Background = background
				want, seen := map[string]int{"whole": 1}, map[string]int(nil)
				if background {
					want = map[string]int{"behind": 1}
				}
				inv.OnLog = func(sandbox.LogLine) { seen = weights(t) }
				if _, err := pool.Invoke(t.Context(), inv); err != nil {
					t.Fatal(err)
				}
				if !maps.Equal(seen, want) {
					t.Errorf("gives way %v: its group weighs %v", background, seen)
				}
			}
		})
	}
}
