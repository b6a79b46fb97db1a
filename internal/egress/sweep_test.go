package egress

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSweepRemovesOnlyWhatTheDeadHaveLeft(t *testing.T) {
	temp := t.TempDir()
	old := time.Now().Add(-time.Hour)
	for name, row := range map[string]struct {
		socket, alive bool
		at            time.Time
		stays         bool
	}{
		"functions-egress-living":   {true, true, old, true},
		"functions-egress-killed":   {true, false, old, false},
		"functions-egress-halfway":  {false, false, old, false},
		"functions-egress-starting": {false, false, time.Now(), true},
		"another-program":           {true, false, old, true},
	} {
		dir := filepath.Join(temp, name)
		if err := os.MkdirAll(filepath.Join(dir, "in"), 0o700); err != nil {
			t.Fatal(err)
		}
		if row.socket {
			listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socketPath(dir), Net: "unix"})
			if err != nil {
				t.Fatal(err)
			}
			listener.SetUnlinkOnClose(false)
			if row.alive {
				t.Cleanup(func() { _ = listener.Close() })
			} else if err := listener.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(dir, row.at, row.at); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if _, err := os.Stat(dir); (err == nil) != row.stays {
				t.Errorf("%s: stays = %v, want %v", name, err == nil, row.stays)
			}
		})
	}
	sweep(temp)
}
