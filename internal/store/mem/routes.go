package mem

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/backstage/functions/internal/function"
)

// Routes returns all routes in the order of their names.
func (s *Store) Routes(ctx context.Context) (all []function.Route, err error) {
	err = s.read(ctx, "routes", func() error {
		all = slices.SortedFunc(maps.Values(s.routes), func(a, b function.Route) int { return cmp.Compare(a.Name, b.Name) })
		return nil
	})
	return all, err
}

// Route returns a route, or function.ErrRouteNotFound.
func (s *Store) Route(ctx context.Context, name string) (r function.Route, err error) {
	err = s.read(ctx, "route "+name, func() error {
		var there bool
		if r, there = s.routes[name]; !there {
			return function.ErrRouteNotFound
		}
		return nil
	})
	return r, err
}

// PutRoute writes a route, or returns a *function.RoutePatternError or function.ErrTooManyRoutes.
func (s *Store) PutRoute(ctx context.Context, r function.Route) error {
	return s.write(ctx, "put route "+r.Name, function.Change{Routes: true}, func() error {
		if err := r.Check(); err != nil {
			return err
		}
		pattern := r.Pattern()
		if name, taken := s.patterns[pattern]; taken && name != r.Name {
			return &function.RoutePatternError{Name: name}
		}
		old, replaces := s.routes[r.Name]
		if !replaces && len(s.routes) >= s.Limits.MaxRoutes() {
			return function.ErrTooManyRoutes
		}
		delete(s.patterns, old.Pattern())
		s.routes[r.Name], s.patterns[pattern] = r, r.Name
		return nil
	})
}

// DeleteRoute removes a route.
func (s *Store) DeleteRoute(ctx context.Context, name string) error {
	return s.write(ctx, "delete route "+name, function.Change{Routes: true}, func() error {
		if old, ok := s.routes[name]; ok {
			delete(s.patterns, old.Pattern())
			delete(s.routes, name)
		}
		return nil
	})
}
