package redis

import (
	"cmp"
	"context"
	"slices"

	"github.com/backstage/functions/internal/function"
)

// All routes are in one hash, so that a script can compare their patterns: the field "route:NAME" has a record, the
// field "pattern:PATTERN" the name of the route that has the pattern.
const routePrefix = "route:"

// Routes returns all routes in the order of their names. A record that cannot be read is left out, and logged.
func (s *Store) Routes(ctx context.Context) ([]function.Route, error) {
	var all []function.Route
	err := s.eachRecord(ctx, s.keys.routes(), routePrefix, func(name string, record []byte) {
		if r, ok := s.parseRoute(ctx, name, record); ok {
			all = append(all, r)
		}
	})
	slices.SortFunc(all, func(a, b function.Route) int { return cmp.Compare(a.Name, b.Name) })
	return all, at("routes", err)
}

// parseRoute reads the record of a route. One that cannot be read is logged.
func (s *Store) parseRoute(ctx context.Context, name string, record []byte) (r function.Route, ok bool) {
	r, err := function.ParseRoute(name, record)
	if err != nil {
		s.log.WarnContext(ctx, "A route in Redis cannot be read: put it again, or delete it", "route", name, "error", err)
	}
	return r, err == nil
}

// Route returns a route, or function.ErrRouteNotFound, also when its record cannot be read.
func (s *Store) Route(ctx context.Context, name string) (function.Route, error) {
	record, err := s.oneRecord(ctx, s.keys.routes(), routePrefix+name)
	if err != nil {
		return function.Route{}, at("route "+name, err)
	}
	if record != nil {
		if r, ok := s.parseRoute(ctx, name, record); ok {
			return r, nil
		}
	}
	return function.Route{}, at("route "+name, function.ErrRouteNotFound)
}

// PutRoute writes a route, or returns a *function.RoutePatternError or function.ErrTooManyRoutes.
func (s *Store) PutRoute(ctx context.Context, r function.Route) error {
	return at("put route "+r.Name, s.putRoute(ctx, r))
}

func (s *Store) putRoute(ctx context.Context, r function.Route) error {
	if err := r.Check(); err != nil {
		return err
	}
	found, err := s.run(ctx, putRouteScript, []string{s.keys.routes()}, s.keys.changes(), routesNotice,
		r.Name, r.Record(), r.Pattern(), s.limits.MaxRoutes())
	if err != nil {
		return err
	}
	switch found := found.(type) {
	case string:
		return &function.RoutePatternError{Name: found}
	case int64:
		return function.ErrTooManyRoutes
	}
	return nil
}

// DeleteRoute removes a route.
func (s *Store) DeleteRoute(ctx context.Context, name string) error {
	_, err := s.run(ctx, deleteRouteScript, []string{s.keys.routes()}, s.keys.changes(), routesNotice, name)
	return at("delete route "+name, err)
}
