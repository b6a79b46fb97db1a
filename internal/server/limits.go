package server

import (
	"context"
	"slices"

	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/internal/replica"
	"github.com/backstage/functions/internal/usage"
)

// namespaceLimits has the limits of namespaces in memory, in step with the store.
type namespaceLimits struct {
	*limits.Table
	*replica.Keeper[[]usage.Namespace]
}

// openLimits reads the limits of namespaces.
func (s *server) openLimits(ctx context.Context) (stop func() error, err error) {
	table := limits.NewTable(s.cfg.OwnerSeparator)
	s.limits = &namespaceLimits{table, replica.New(replica.Options[[]usage.Namespace]{
		Name: "The limits of namespaces", Read: s.store.NamespaceLimits, Use: table.Set,
		Same: slices.Equal[[]usage.Namespace], Log: s.log(),
	})}
	load(ctx, s.limits.Keeper)
	return inBackground(ctx, s.limits.Run), nil
}
