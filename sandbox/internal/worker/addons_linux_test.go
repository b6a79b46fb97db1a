package worker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A runner of which only the fork server's addon was built must not look complete.
func TestMissingAddonIsToldByLayersAndProbe(t *testing.T) {
	dir := t.TempDir()
	runner := filepath.Join(dir, "main.js")
	if err := os.Mkdir(filepath.Join(dir, "build"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"zygote.node", "loop.node"} {
		wantLeftWorkSeen(t, runner, false)
		if err := os.WriteFile(filepath.Join(dir, "build", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wantLeftWorkSeen(t, runner, true)
}

func wantLeftWorkSeen(t *testing.T, runner string, want bool) {
	t.Helper()
	s := &Starter{cfg: Config{Runner: runner}}
	layer := s.leftWorkLayer()
	if layer.Asked != want || layer.Obtained != want || strings.Contains(layer.Detail, "loop.node is not built") == want {
		t.Errorf("the layer is %+v, want it obtained: %v", layer, want)
	}
	for _, feature := range Probe(t.Context(), s.cfg) {
		if feature.Name == layer.Name {
			if feature.OK != want {
				t.Errorf("the probe says %+v, want %v", feature, want)
			}
			return
		}
	}
	t.Errorf("the probe does not know %q", layer.Name)
}
