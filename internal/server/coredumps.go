package server

import (
	"log/slog"
	"syscall"
)

// preventCoreDumps keeps what is in memory, such as values of secrets, out of files that a crash would leave. Children
// inherit that.
func preventCoreDumps(log *slog.Logger) {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		log.Warn("A crash may leave a file with the values of secrets in it: the limit on core files cannot be set",
			"error", err)
	}
}
