package bolt

import (
	"context"

	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/function"
)

// Routes returns all routes in the order of their names.
func (s *Store) Routes(ctx context.Context) (all []function.Route, err error) {
	err = s.view(ctx, "routes", func(tx *bbolt.Tx) error {
		return tx.Bucket(routesBucket).ForEach(func(name, text []byte) error {
			r, err := function.ParseRoute(string(name), text)
			all = append(all, r)
			return err
		})
	})
	return all, err
}

// Route returns a route, or function.ErrRouteNotFound.
func (s *Store) Route(ctx context.Context, name string) (r function.Route, err error) {
	err = s.view(ctx, "route "+name, func(tx *bbolt.Tx) error {
		text := tx.Bucket(routesBucket).Get([]byte(name))
		if text == nil {
			return function.ErrRouteNotFound
		}
		r, err = function.ParseRoute(name, text)
		return err
	})
	return r, err
}

// PutRoute writes a route, or returns a *function.RoutePatternError or function.ErrTooManyRoutes.
func (s *Store) PutRoute(ctx context.Context, r function.Route) error {
	return s.update(ctx, "put route "+r.Name, function.Change{Routes: true}, func(tx *bbolt.Tx) error {
		if err := r.Check(); err != nil {
			return err
		}
		routes, patterns := tx.Bucket(routesBucket), tx.Bucket(patternsBucket)
		pattern := []byte(r.Pattern())
		if name := patterns.Get(pattern); name != nil && string(name) != r.Name {
			return &function.RoutePatternError{Name: string(name)}
		}
		if routes.Get([]byte(r.Name)) == nil && routes.Stats().KeyN >= s.Limits.MaxRoutes() {
			return function.ErrTooManyRoutes
		}
		if err := dropRoute(tx, r.Name); err != nil {
			return err
		}
		if err := patterns.Put(pattern, []byte(r.Name)); err != nil {
			return err
		}
		return routes.Put([]byte(r.Name), r.Record())
	})
}

// DeleteRoute removes a route.
func (s *Store) DeleteRoute(ctx context.Context, name string) error {
	return s.update(ctx, "delete route "+name, function.Change{Routes: true}, func(tx *bbolt.Tx) error {
		return dropRoute(tx, name)
	})
}

// dropRoute removes a route and its pattern, if it is there.
func dropRoute(tx *bbolt.Tx, name string) error {
	text := tx.Bucket(routesBucket).Get([]byte(name))
	if text == nil {
		return nil
	}
	old, err := function.ParseRoute(name, text)
	if err != nil {
		return err
	}
	if err := tx.Bucket(patternsBucket).Delete([]byte(old.Pattern())); err != nil {
		return err
	}
	return tx.Bucket(routesBucket).Delete([]byte(name))
}
