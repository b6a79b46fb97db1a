package server

import (
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/backstage/functions/internal/observe/trace"
	"github.com/backstage/functions/internal/store/redis"
)

// garbage is GOGC: the server uses little memory, and collecting at Go's default would cost a tenth of its time.
const garbage = 400

// setGlobals gives the server's log to what logs for the whole process. Beside it, setGarbage, the memory limit
// (memory.go) and the monitor (monitor_linux.go) nothing here changes what belongs to the process.
func setGlobals(log *slog.Logger) {
	slog.SetDefault(log) // libraries log through it too
	logLibraries(log)
}

// logLibraries gives log to the libraries that have one logger for all their users.
func logLibraries(log *slog.Logger) {
	trace.UseLogger(log)
	redis.UseLogger(log)
}

// setGarbage lets garbage be, unless GOGC says how much of it may be.
func setGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
}
