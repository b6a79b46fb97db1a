package worker

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// TestWhatATierLeavesOutIsNotMissed: what has a detail and was not obtained is logged at the start, as a warning.
func TestWhatATierLeavesOutIsNotMissed(t *testing.T) {
	runner := filepath.Join(t.TempDir(), "main.js") // of which everything was built
	if err := os.Mkdir(filepath.Dir(loopAddon(runner)), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, addon := range []string{zygoteAddon(runner), loopAddon(runner)} {
		if err := os.WriteFile(addon, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tier := range []Isolation{None, ProcessLimit} {
		for name, pid := range map[string]int{"a worker like the server": os.Getpid(), "a worker that cannot be looked at": math.MaxInt32} {
			s := &Starter{cfg: Config{Isolation: tier, Runner: runner}, forks: true}
			for _, layer := range s.inspect(pid).Layers {
				if layer.Name != "resource limits" && layer.Detail != "" && !layer.Obtained {
					t.Errorf("%s: %s: %s: %s", tier, name, layer.Name, layer.Detail)
				}
			}
		}
	}
	left, asked := unseen(Layer{Name: "user namespace"}), unseen(Layer{Name: "user namespace", Asked: true})
	if left.Detail != "" {
		t.Errorf("a namespace that nobody asked for is missed: %s", left.Detail)
	}
	if !asked.Obtained || asked.Detail == "" {
		t.Errorf("a namespace that cannot be seen is told as %+v", asked)
	}
}
