package api

import (
	"context"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/qs"
)

// corsOf is what the functions of all steps of a pipeline allow to pages of other sites: its answer may be that of any
// of them. It is nil if one of them lets none, or is not there.
func (s *server) corsOf(ctx context.Context, steps []function.Ref) (all *function.CORS) {
	for _, step := range steps {
		found, err := s.Invoker.Find(ctx, step)
		c := found.CORS()
		if err != nil || c == nil {
			return nil
		}
		all = all.And(c)
	}
	return all
}

// pipelineOptions answers a preflight of a page that would run the steps of the query, if their functions have the
// option for it. All else is answered as by next.
func (s *server) pipelineOptions(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !isPreflight(r) {
			return next(w, r)
		}
		steps, _, err := stepsOf(qs.Parse(r.URL.RawQuery), s.MaxSteps)
		if err != nil {
			return next(w, r)
		}
		start := time.Now()
		c := s.corsOf(r.Context(), steps)
		if c == nil {
			if s.Auth == AuthOn {
				evenOut(r.Context(), start)
			}
			return next(w, r)
		}
		shareAnswer(w, r, c)
		return answerPreflight(w, r, c)
	}
}
