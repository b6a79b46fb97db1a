package worker

import (
	"slices"
	"testing"
)

// Forks that collect what they share with each other copy it, and those of a burst would all do so at the same time:
// a thousand of them keep two processors busy for ten seconds.
func TestNoWorkerCollectsGarbageUnasked(t *testing.T) {
	for _, rollback := range []bool{false, true} {
		cfg := &Config{Node: "node", Runner: "main.js", Rollback: rollback}
		if args := nodeCommand(cfg).Args; !slices.Contains(args, "--no-memory-reducer") {
			t.Errorf("put back: %v: Node.js is started with %v", rollback, args)
		}
	}
}
