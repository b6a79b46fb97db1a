package server

import (
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/connections"
	"github.com/backstage/functions/internal/egress"
)

// What the server needs descriptors for beside callers.
const (
	descriptorsOfServer = 128 // its files, its store, its log, and what comes to an end
	descriptorsOfWorker = 8   // pipes and a pidfd; some more while it starts
	// of each connection to the outside: itself, those of workers, and what lookups need
	descriptorsOfEgress = 2 + egress.InnerPerOuter
	leastConnections    = 16
)

// fitConnections is how many connections of callers there may be, cfg.MaxConnections unless the process may not have so many
// descriptors. It raises the limit as far as that is allowed to everybody; what is left is the operator's to raise.
func fitConnections(cfg *config.Config, log *slog.Logger) int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return cfg.MaxConnections
	}
	if limit.Cur < limit.Max { // Go has done so, if nobody has forbidden it
		raised := unix.Rlimit{Cur: limit.Max, Max: limit.Max}
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
			limit = raised
		}
	}
	most := int(min(limit.Cur, 1<<30))
	others := descriptorsOfOthers(cfg)
	fits := max(most-others, leastConnections)
	if cfg.MaxConnections > 0 && cfg.MaxConnections <= fits {
		return cfg.MaxConnections
	}
	if cfg.MaxConnections > 0 || most-others < leastConnections {
		log.Warn(fmt.Sprintf("MAX_CONNECTIONS: %d connections are served at a time: the process may have %d descriptors, and needs up to %d of them "+
			"for other things. Raise RLIMIT_NOFILE: LimitNOFILE= of systemd, ulimits of Docker Compose, or ulimit -n", fits, most, others))
	}
	return fits
}

// descriptorsOfOthers is how many the server may need beside those of connections to the API.
func descriptorsOfOthers(cfg *config.Config) int {
	workers := cfg.PoolSize * max(1, len(cfg.Runtimes))
	n := descriptorsOfServer + descriptorsOfWorker*workers + descriptorsOfEgress*cfg.Egress.Limits.Total + connections.Reserve
	if cfg.Metrics {
		n += cfg.MetricsMaxConnections + connections.Reserve
	}
	return n
}
