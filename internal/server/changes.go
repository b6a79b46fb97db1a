package server

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/function"
)

// routesTimeout is how long the start, and a write of a route, wait until the routes are read again. If that fails,
// they are read in the background.
const routesTimeout = 2 * time.Second

// changed makes a write, here or on another server, known to what is in memory.
func (s *server) changed(c function.Change) {
	if c.Routes || c.All {
		s.routes.Changed()
	}
	if !c.Routes {
		s.invoker.Changed(c)
	}
}

// changedHere is changed for a write by this server: when it returns, the routes have what was written.
func (s *server) changedHere(c function.Change) {
	if c.Routes {
		s.readRoutes(context.Background())
		return
	}
	s.changed(c)
}

// readRoutes reads the routes, or leaves that to the background.
func (s *server) readRoutes(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, routesTimeout)
	defer cancel()
	if s.routes.Load(ctx) != nil {
		s.routes.Changed()
	}
}
