package egress

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// dirPattern names the directory of a proxy in the directory for temporary files; socketPath is its socket.
const dirPattern = "functions-egress-"

func socketPath(dir string) string { return filepath.Join(dir, "in", "socket") }

// startingTime is how long a new directory is left alone: its proxy may not listen yet.
const startingTime = time.Minute

// sweep removes from temp the directories that killed servers have left: those of this user whose socket has no
// listener.
func sweep(temp string) {
	dirs, err := filepath.Glob(filepath.Join(temp, dirPattern+"*"))
	if err != nil {
		return // a temp with odd characters in its name
	}
	for _, dir := range dirs {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < startingTime {
			continue
		}
		if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Geteuid() {
			continue
		}
		conn, err := net.Dial("unix", socketPath(dir)) //nolint:noctx // answered or refused at once
		switch {
		case err == nil:
			_ = conn.Close() // in use
		case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, os.ErrNotExist):
			_ = os.RemoveAll(dir) // the next start tries again
		}
	}
}
