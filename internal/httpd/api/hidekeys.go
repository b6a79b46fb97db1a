package api

import (
	"net/http"
	"strings"

	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/outcome"
)

// reasonKeyInURL is the reason of answers to requests that have a key in their URL.
const reasonKeyInURL = "key_in_url"

// HideKeys hides each key in the URL of a request from next, and so from logs and traces. Such a request is refused:
// what is in a URL is kept in more places than this server knows. It may stand around itself.
func HideKeys(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if uri := hideKeys(r.RequestURI); uri != r.RequestURI {
			r = r.WithContext(r.Context())
			u := *r.URL
			u.Path, u.RawPath, u.RawQuery = identity.Mask(u.Path), identity.Mask(u.RawPath), hideKeys(u.RawQuery)
			r.RequestURI, r.URL = uri, &u
		}
		next.ServeHTTP(w, r)
	})
}

// hideKeys masks keys in a URL, or all of it if one is percent-encoded.
func hideKeys(uri string) string {
	hidden := identity.MaskEncoded(uri)
	if hidden == identity.Masked && strings.HasPrefix(uri, "/") { // it stays a path
		return "/" + hidden
	}
	return hidden
}

// refuseKeysInURLs refuses requests whose URL HideKeys has changed.
func (s *server) refuseKeysInURLs(next http.Handler) http.Handler {
	if s.Auth == AuthOff {
		return next
	}
	refuse := s.adapt(func(http.ResponseWriter, *http.Request) error {
		return outcome.New(outcome.Outcome{
			Status: http.StatusBadRequest, Reason: reasonKeyInURL, Fault: outcome.FaultCaller,
			Message: "A key must not be in a URL, which is kept in logs: revoke it, and send another one in the header " +
				"Authorization",
		})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.RequestURI, identity.Masked) {
			refuse.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
