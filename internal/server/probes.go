package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/backstage/functions/internal/httpd/health"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/store"
	"github.com/backstage/functions/sandbox"
)

// newHealth makes the server ready while workers can start and functions are available.
func newHealth(log *slog.Logger, pool *sandbox.Pool, s store.Pinger, invoker *invoke.Invoker) *health.Health {
	return health.New(log,
		health.Check{Name: "workers", Run: func(context.Context) (string, error) { return checkWorkers(pool) }},
		health.Check{Name: "store", Run: func(ctx context.Context) (string, error) {
			return checkStore(s.Ping(ctx), invoker.CacheStats().Functions)
		}},
	)
}

// checkWorkers fails if workers do not start. If all are busy it does not: other servers are probably busy too.
func checkWorkers(pool *sandbox.Pool) (string, error) {
	now := pool.Snapshot()
	switch err := now.Err; {
	case errors.Is(err, sandbox.ErrWarming):
		return "", &health.Problem{Text: "workers are being prepared"}
	case err != nil:
		return "", &health.Problem{Text: "workers do not start", Cause: err}
	}
	s := now.Pool
	return fmt.Sprintf("%d busy, %d idle, %d ready, %d starting, of at most %d; %d calls wait", s.Busy, s.Idle,
		s.Prewarmed, s.Starting, s.Size, s.Queued), nil
}

// checkStore turns the result of a ping into a check: a server whose store is away still serves calls if it has
// functions in memory.
func checkStore(err error, inMemory int) (string, error) {
	switch {
	case err == nil:
		return "", nil
	case inMemory > 0:
		return fmt.Sprintf("storage is unavailable; %d functions run from memory", inMemory), nil
	default:
		return "", &health.Problem{Text: "storage is unavailable and no function is in memory", Cause: err}
	}
}
