package api

import (
	"net/http"

	"github.com/backstage/functions/internal/invoke"
)

// nested marks requests that functions of this server have made.
func (s *server) nested(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := s.NestingOf(r.RemoteAddr); n.Depth > 0 {
			r = r.WithContext(invoke.WithNesting(r.Context(), n))
		}
		next.ServeHTTP(w, r)
	})
}
