package api

import (
	"net/http"

	"github.com/backstage/functions/internal/httpd/answer"
	"github.com/backstage/functions/internal/identity"
)

// Keyed returns a handler for another port that has next serve those who have the role in all namespaces. Nobody else
// is served, with AuthLog neither. It may be called unless Auth is AuthOff.
func (h Handlers) Keyed(role identity.Role, next http.Handler) http.Handler {
	s := h.server
	serve := func(w http.ResponseWriter, r *http.Request) error {
		next.ServeHTTP(w, r)
		return nil
	}
	guarded := s.adapt(s.guard(need{role: role, in: allNamespaces, strict: true}, serve))
	return HideKeys(s.recordRefusals(s.recoverPanics(s.refuseKeysInURLs(s.authenticate(guarded)))))
}

// recordRefusals records what next refuses, without a line in the access log.
func (s *server) recordRefusals(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &answer.Recorder{ResponseWriter: w}
		defer s.recordEnd(r, rec)
		next.ServeHTTP(rec, r)
	})
}
