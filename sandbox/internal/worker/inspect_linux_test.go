package worker

import (
	"math"
	"os"
	"testing"
)

// TestWhatATierLeavesOutIsNotMissed: what has a detail and was not obtained is logged at the start, as a warning.
func TestWhatATierLeavesOutIsNotMissed(t *testing.T) {
	for _, tier := range []Isolation{None, ProcessLimit} {
		for name, pid := range map[string]int{"a worker like the server": os.Getpid(), "a worker that cannot be looked at": math.MaxInt32} {
			s := &Starter{cfg: Config{Isolation: tier}, forks: true}
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
