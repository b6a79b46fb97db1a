package api

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/answer"
	"github.com/backstage/functions/internal/httpd/forwarded"
	"github.com/backstage/functions/internal/httpd/routes"
)

// routed is what metrics, traces and logs call the resource of requests that a stored route gives to its function.
const routed = "{route}"

// RouteTable finds the function that a stored route gives a request to. It must be safe for concurrent use.
type RouteTable interface {
	// Find is routes.Table.Find.
	Find(host, path string) (routes.Match, bool)
	// Loaded says whether the stored routes are known.
	Loaded() bool
}

// noRoutes is a RouteTable without routes.
type noRoutes struct{}

func (noRoutes) Find(string, string) (routes.Match, bool) { return routes.Match{}, false }
func (noRoutes) Loaded() bool                             { return true }

// byRoute serves what a stored route matches, and answers all else.
func (s *server) byRoute(on ports) http.Handler {
	return s.adapt(func(w http.ResponseWriter, r *http.Request) error {
		match, ok := s.Routes.Find(forwarded.Host(r, s.TrustedProxies), r.URL.EscapedPath())
		if ok {
			s.begin(w, r, routed)
		}
		if err := s.reaches(r, on, "", match.NamesHost); err != nil {
			return err
		}
		if !ok {
			return s.unrouted(w, r)
		}
		if on == apiPort {
			s.shield(w, r)
		}
		run := func(w http.ResponseWriter, r *http.Request) error {
			return s.runFunction(w, r, target{ref: match.Ref, path: cmp.Or(match.Path, "/"), params: match.Params, routed: true})
		}
		return s.guard(toRun(match.Ref), run)(w, r)
	})
}

// unrouted answers what neither a resource nor a stored route matches.
func (s *server) unrouted(w http.ResponseWriter, r *http.Request) error {
	if !s.Routes.Loaded() {
		return fmt.Errorf("routes are not known yet: %w", function.ErrUnavailable)
	}
	return notFound(w, r)
}

// begin says which resource serves r.
func (s *server) begin(w http.ResponseWriter, r *http.Request, path string) {
	if rec, ok := w.(*answer.Recorder); ok {
		rec.Route = path
	}
	s.Routed(r, path)
}
