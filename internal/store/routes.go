package store

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/hook"
)

// Routes keeps the routes.
type Routes interface {
	// Routes returns all of them in the order of their names.
	Routes(ctx context.Context) ([]function.Route, error)
	// Route returns one of them, or function.ErrRouteNotFound.
	Route(ctx context.Context, name string) (function.Route, error)
	// PutRoute writes a route or replaces the one of its name. It returns a *function.RoutePatternError when another one
	// has its pattern, and function.ErrTooManyRoutes when it is one too many.
	PutRoute(ctx context.Context, r function.Route) error
	// DeleteRoute removes a route. A missing one is no error.
	DeleteRoute(ctx context.Context, name string) error
}

// routes are Routes whose operations call hooks.
type routes struct{ guarded hook.Guarded[Routes] }

func (s routes) Routes(ctx context.Context) ([]function.Route, error) {
	return hook.Value(ctx, s.guarded, read("routes"), func(ctx context.Context, to Routes) ([]function.Route, error) {
		return to.Routes(ctx)
	})
}

func (s routes) Route(ctx context.Context, name string) (function.Route, error) {
	return hook.Value(ctx, s.guarded, read("route"), func(ctx context.Context, to Routes) (function.Route, error) {
		return to.Route(ctx, name)
	})
}

func (s routes) PutRoute(ctx context.Context, r function.Route) error {
	op := write("put route", function.Change{Routes: true})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Routes) error { return to.PutRoute(ctx, r) })
}

func (s routes) DeleteRoute(ctx context.Context, name string) error {
	op := remove("delete route", function.Change{Routes: true})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Routes) error { return to.DeleteRoute(ctx, name) })
}
