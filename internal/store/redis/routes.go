package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// All routes are in one hash, so that a script can compare their patterns: the field "route:NAME" has a record, the
// field "pattern:PATTERN" the name of the route that has the pattern.
const routePrefix = "route:"

// maxRouteBytes bounds the fields and records of all routes, which are read together.
const maxRouteBytes = 64 << 20

var errRoutesTooLong = errors.New("the hash of routes is larger than the server reads: delete routes")

// Routes returns all routes in the order of their names. A record that cannot be read is left out, and logged.
func (s *Store) Routes(ctx context.Context) ([]function.Route, error) {
	var found *redis.Cmd
	err := read(ctx, s.client, func(p redis.Pipeliner) {
		found = p.Eval(ctx, readRoutesSource, []string{s.keys.routes()}, routePrefix, maxRouteBytes)
	})
	if err != nil {
		return nil, at("routes", err)
	}
	values, ok := found.Val().([]any)
	if !ok {
		return nil, at("routes", errRoutesTooLong)
	}
	var all []function.Route
	for i := 0; i+1 < len(values); i += 2 {
		name, record := fmt.Sprint(values[i]), fmt.Sprint(values[i+1])
		r, err := function.ParseRoute(name, []byte(record))
		if err != nil {
			s.log.WarnContext(ctx, "A route in Redis cannot be read: put it again, or delete it", "route", name, "error", err)
			continue
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b function.Route) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
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
