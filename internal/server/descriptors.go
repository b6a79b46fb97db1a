package server

import (
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/internal/httpd/connections"
)

// Descriptors that the server needs, apart from connections of callers.
const (
	descriptorsOfServer = 128 // its files, its store, its log, and what is being closed
	descriptorsOfWorker = 5   // pipes and a pidfd, and one more while it starts or ends
	leastConnections    = 16

	leastWorkers  = 128 // if connections leave fewer, workers get a third of the descriptors
	tasksOfWorker = 5   // Node.js, and its threads where a function reads files or compresses
)

// allowedDescriptors is how many this process may have, 0 if unknown. It raises the limit as far as every process may;
// beyond that the operator must raise it.
func allowedDescriptors() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	if limit.Cur < limit.Max { // Go has usually done so
		raised := unix.Rlimit{Cur: limit.Max, Max: limit.Max}
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
			limit = raised
		}
	}
	return int(min(limit.Cur, 1<<30))
}

// fitPool lowers POOL_SIZE, if it is not set, to what descriptors and tasks allow: the descriptors that connections
// leave, or a third if they leave almost none, and half of the tasks. A lower POOL_SIZE is not an error: the start logs
// it.
func fitPool(cfg *config.Config, descriptors int, tasks int64) {
	if descriptors > 0 {
		left := (descriptors - portsOfCallers(cfg)*cfg.MaxConnections - descriptorsOfOthers(cfg, 0)) / descriptorsOfWorker
		if third := descriptors / 3 / descriptorsOfWorker; cfg.MaxConnections == 0 || left < min(third, leastWorkers) {
			left = third
		}
		cfg.LimitPool(left)
	}
	if tasks > 0 {
		cfg.LimitPool(int(tasks / 2 / tasksOfWorker))
	}
}

// portsOfCallers is how many ports have cfg.MaxConnections each.
func portsOfCallers(cfg *config.Config) int {
	if cfg.Run {
		return 2
	}
	return 1
}

// fitConnections is the most connections of callers of each port: cfg.MaxConnections, or fewer if the process may not
// have that many descriptors.
func fitConnections(cfg *config.Config, most int, log *slog.Logger) int {
	if most == 0 {
		return cfg.MaxConnections
	}
	others := descriptorsOfOthers(cfg, cfg.PoolSize)
	left := (most - others) / portsOfCallers(cfg)
	fits := max(left, leastConnections)
	if cfg.MaxConnections > 0 && cfg.MaxConnections <= fits {
		return cfg.MaxConnections
	}
	if cfg.MaxConnections > 0 || left < leastConnections {
		which := ""
		if cfg.Run {
			which = " to each of PORT and RUN_PORT"
		}
		log.Warn(fmt.Sprintf("MAX_CONNECTIONS: %d connections%s are served at a time: the process may have %d descriptors, "+
			"and needs up to %d of them for other things. Raise RLIMIT_NOFILE: LimitNOFILE= of systemd, ulimits of Docker "+
			"Compose, or ulimit -n", fits, which, most, others))
	}
	return fits
}

// descriptorsOfOthers is how many the server may need apart from connections of callers, with that many workers.
func descriptorsOfOthers(cfg *config.Config, workers int) int {
	n := descriptorsOfServer + descriptorsOfWorker*workers + egress.Descriptors(cfg.Egress.Limits.Total) +
		portsOfCallers(cfg)*connections.Reserve + cfg.WebSocket.Connections
	if cfg.Metrics {
		n += cfg.MetricsMaxConnections + connections.Reserve
	}
	return n
}
