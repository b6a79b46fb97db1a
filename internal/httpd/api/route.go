package api

import (
	"fmt"
	"net/http"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
)

// maxRouteName is the longest name of a route, in bytes.
const maxRouteName = 128

// putRoute stores the route that the body describes.
func (s *server) putRoute(w http.ResponseWriter, r *http.Request) error {
	name, err := routeNameOf(r)
	if err != nil {
		return err
	}
	given, ok, err := readSettings(s, w, r, s.parseRoute)
	if !ok {
		return err
	}
	given.Name = name
	record := recordOf(r)
	record.Namespaces = []string{given.Function.Namespace}
	record.Name("id", given.Function.ID)
	if err := s.Store.PutRoute(r.Context(), given); err != nil {
		return fmt.Errorf("put route %q: %w", name, err)
	}
	sendSchema(w, r, "routes/item", routeJSON(given))
	return nil
}

func (s *server) getRoute(w http.ResponseWriter, r *http.Request) error {
	name, err := routeNameOf(r)
	if err != nil {
		return err
	}
	found, err := s.Store.Route(r.Context(), name)
	if err != nil {
		return fmt.Errorf("get route %q: %w", name, err)
	}
	sendSchema(w, r, "routes/item", routeJSON(found))
	return nil
}

func (s *server) deleteRoute(w http.ResponseWriter, r *http.Request) error {
	name, err := routeNameOf(r)
	if err != nil {
		return err
	}
	if err := s.Store.DeleteRoute(r.Context(), name); err != nil {
		return fmt.Errorf("delete route %q: %w", name, err)
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}

// listRoutes answers with a page of the routes, in the order of their names.
func (s *server) listRoutes(w http.ResponseWriter, r *http.Request) error {
	return sendPage(s, w, r, "routes", function.MaxPattern, s.Store.Routes, routeJSON)
}

// routeNameOf is the route that the path names.
func routeNameOf(r *http.Request) (string, error) {
	name, err := nameOf(r, "route")
	if err == nil && len(name) > maxRouteName {
		err = outcome.BadRequest(fmt.Sprintf("The route name must not be longer than %d bytes", maxRouteName))
	}
	return name, err
}
