package server

import (
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/internal/httpd/connections"
)

// What the server needs descriptors for beside callers.
const (
	descriptorsOfServer = 128 // its files, its store, its log, and what comes to an end
	descriptorsOfWorker = 5   // pipes and a pidfd, and one more for those that start or end
	leastConnections    = 16

	leastWorkers  = 128 // of fewer there are more than connections leave
	tasksOfWorker = 5   // Node.js, and its threads where a function reads files or compresses
)

// allowedDescriptors is how many this process may have, 0 when that is not known. It raises the limit as far as that is allowed to everybody; what is
// left is the operator's to raise.
func allowedDescriptors() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	if limit.Cur < limit.Max { // Go has done so, if nobody has forbidden it
		raised := unix.Rlimit{Cur: limit.Max, Max: limit.Max}
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
			limit = raised
		}
	}
	return int(min(limit.Cur, 1<<30))
}

// fitPool makes POOL_SIZE, where it is not set, no more than there may be descriptors and tasks for: what connections leave of the former, or a third
// where that is next to nothing, and half of the latter. It is no fault that there are fewer: the start tells how many workers there may be.
func fitPool(cfg *config.Config, descriptors int, tasks int64) {
	if descriptors > 0 {
		left := (descriptors - cfg.MaxConnections - descriptorsOfOthers(cfg, 0)) / descriptorsOfWorker
		if third := descriptors / 3 / descriptorsOfWorker; cfg.MaxConnections == 0 || left < min(third, leastWorkers) {
			left = third
		}
		cfg.LimitPool(left)
	}
	if tasks > 0 {
		cfg.LimitPool(int(tasks / 2 / tasksOfWorker))
	}
}

// fitConnections is how many connections of callers there may be, cfg.MaxConnections unless the process may not have so many
// descriptors, of which most are allowed.
func fitConnections(cfg *config.Config, most int, log *slog.Logger) int {
	if most == 0 {
		return cfg.MaxConnections
	}
	others := descriptorsOfOthers(cfg, cfg.PoolSize)
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

// descriptorsOfOthers is how many the server may need beside those of connections to the API, with so many workers.
func descriptorsOfOthers(cfg *config.Config, workers int) int {
	n := descriptorsOfServer + descriptorsOfWorker*workers + egress.Descriptors(cfg.Egress.Limits.Total) + connections.Reserve
	if cfg.Metrics {
		n += cfg.MetricsMaxConnections + connections.Reserve
	}
	return n
}
