package server

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/routes"
)

// countedRoutes counts how often routes are read. The first readings after the one at the start can fail.
type countedRoutes struct{ reads, failures atomic.Int64 }

// Routes implements routes.Source.
func (s *countedRoutes) Routes(context.Context) ([]function.Route, error) {
	if s.reads.Add(1) > 1 && s.failures.Add(-1) >= 0 {
		return nil, errors.New("away")
	}
	return nil, nil
}

func TestWriteOfRouteReadsRoutesOnce(t *testing.T) {
	for name, row := range map[string]struct{ failures, want int64 }{
		"read":               {0, 2}, // one is that of the start
		"read in background": {1, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &countedRoutes{}
				source.failures.Store(row.failures)
				s := &server{routes: routes.NewKeeper(source, slog.New(slog.DiscardHandler))}
				go s.routes.Run(t.Context())
				synctest.Wait()
				s.changedHere(function.Change{Routes: true})
				synctest.Wait()
				if got := source.reads.Load(); got != row.want {
					t.Errorf("%d readings, want %d", got, row.want)
				}
			})
		})
	}
}
