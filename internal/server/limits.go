package server

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/internal/replica"
	"github.com/backstage/functions/internal/usage"
)

// namespaceLimits has the limits of namespaces in memory, in step with the store.
type namespaceLimits struct {
	*limits.Table
	*replica.Keeper[[]usage.Namespace]
}

// openLimits reads the limits of namespaces, and begins to count what calls use.
func (s *server) openLimits(ctx context.Context) (stop func() error, err error) {
	table := limits.NewTable(s.cfg.OwnerSeparator)
	s.limits = &namespaceLimits{table, replica.New(replica.Options[[]usage.Namespace]{
		Name: "The limits of namespaces", Read: s.store.NamespaceLimits, Use: table.Set,
		Same: slices.Equal[[]usage.Namespace], Log: s.log(),
	})}
	load(ctx, s.limits.Keeper)
	s.limiter = limits.New(limits.Options{
		Store: s.store, Table: table, Memory: s.cfg.MemoryLimit, Keep: s.cfg.Limits.Kept, Logger: s.log(),
		Function: s.cfg.Limits.Function, Namespace: s.cfg.Limits.Namespace, Key: s.cfg.Limits.Key,
	})
	s.measures.WatchLimits(s.limiter.Stats)
	stopRead := inBackground(ctx, s.limits.Run)
	stopCount := inBackground(context.WithoutCancel(ctx), s.limiter.Run) // until the last call has ended
	return func() error { return errors.Join(stopCount(), stopRead()) }, nil
}

// sent counts what a connection of a function has sent.
func (s *server) sent(namespace, filename, call string, bytes int64) {
	id := strings.TrimPrefix(nameOf(filename), namespace+"/")
	s.limiter.Sent(function.Ref{Namespace: namespace, ID: id}, call, bytes)
}
