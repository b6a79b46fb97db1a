package server

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/replica"
)

// loadTimeout is how long the start, and a write of a route or a key, wait until all of them are read again. If that
// fails, they are read in the background.
const loadTimeout = 2 * time.Second

// changed makes a write, here or on another server, known to what is in memory.
func (s *server) changed(c function.Change) {
	if c.Routes || c.All {
		s.routes.Changed()
	}
	if s.keys != nil && (c.Keys || c.All) {
		s.keys.Changed()
	}
	if c.Limits || c.All {
		s.limits.Changed()
	}
	if c.Public || c.All {
		s.public.Changed()
	}
	s.secrets.Changed(c)
	if !c.Routes && !c.Keys && !c.Public && !c.Limits && c.Secrets == "" {
		s.invoker.Changed(c)
	}
	if s.sockets != nil {
		s.sockets.Changed(c)
	}
}

// changedHere is changed for a write by this server: when it returns, what is kept in memory has what was
// written.
func (s *server) changedHere(c function.Change) {
	switch {
	case c.Routes:
		load(context.Background(), s.routes.Keeper)
	case c.Limits:
		load(context.Background(), s.limits.Keeper)
	case c.Public:
		load(context.Background(), s.public.Keeper)
	case c.Keys:
		load(context.Background(), s.keys.Keeper)
	default:
		s.changed(c)
	}
}

// load reads what k keeps, or leaves that to the background.
func load[T any](ctx context.Context, k *replica.Keeper[T]) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	if k.Load(ctx) != nil {
		k.Changed()
	}
}
