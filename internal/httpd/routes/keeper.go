package routes

import (
	"context"
	"log/slog"
	"slices"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/replica"
)

// Source is where routes are stored.
type Source interface {
	Routes(ctx context.Context) ([]function.Route, error)
}

// Keeper keeps a Table in step with a Source. It is safe for concurrent use. Use NewKeeper.
type Keeper struct {
	Table
	*replica.Keeper[[]function.Route]
}

// NewKeeper returns a Keeper whose table is empty until the first Load.
func NewKeeper(source Source, log *slog.Logger) *Keeper {
	k := new(Keeper)
	use := func(all []function.Route) {
		if err := k.Set(all); err != nil {
			log.Warn("Routes are left out: put them again, or delete them", "error", err)
		}
	}
	k.Keeper = replica.New(replica.Options[[]function.Route]{
		Name: "Routes", Read: source.Routes, Use: use, Same: slices.Equal[[]function.Route], Log: log,
	})
	return k
}
