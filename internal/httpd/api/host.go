package api

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// checkHost refuses requests for what cannot be a host. Package net/http does so for the Host header of HTTP/1.1 alone:
// ":authority" of HTTP/2 and the host of an absolute target may be any text, which would become part of URLs.
func checkHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !httpguts.ValidHostHeader(r.Host) {
			sendJSON(w, r, http.StatusBadRequest, []byte(`{"error":"Malformed Host header"}`))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// targetOf is the URL of r from its path on, as it was sent. It is urlOf without the scheme and the host that are in
// front of the path when a caller takes the server for a proxy.
func targetOf(r *http.Request) string {
	if text := urlOf(r); strings.HasPrefix(text, "/") {
		return text
	}
	return r.URL.RequestURI()
}
