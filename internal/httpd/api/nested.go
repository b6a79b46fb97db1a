package api

import (
	"net/http"

	"github.com/backstage/functions/internal/invoke"
)

// nested marks requests that functions of this server have made.
func (s *server) nested(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if depth := s.DepthOf(r.RemoteAddr); depth > 0 {
			r = r.WithContext(invoke.WithDepth(r.Context(), depth))
		}
		next.ServeHTTP(w, r)
	})
}
