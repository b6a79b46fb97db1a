package api

import (
	"net/http"

	"github.com/backstage/functions/internal/httpd/answer"
)

// originWide are the headers of answers by which browsers treat all of their origin in another way, or remember
// something for it. Not among them is Set-Cookie: the server reads no cookie.
var originWide = []string{
	"Accept-Ch", "Activate-Storage-Access", "Alt-Svc", "Clear-Site-Data", "Critical-Ch", "Expect-Ct", "Nel",
	"Origin-Agent-Cluster", "Public-Key-Pins", "Public-Key-Pins-Report-Only", "Report-To", "Reporting-Endpoints",
	"Sec-Session-Registration", "Secure-Session-Registration", "Service-Worker-Allowed", "Set-Login",
	"Strict-Transport-Security", "Use-As-Dictionary",
}

const (
	headerNoSniff = "X-Content-Type-Options"
	headerPolicy  = "Content-Security-Policy"
	// sandbox gives a page an origin of its own, which is that of nothing else: its scripts run, but to the server they
	// are those of another site.
	sandboxPolicy = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox " +
		"allow-scripts allow-top-navigation-by-user-activation"
)

// shield keeps the answer of a function from having power over the origin of the API, which others use too. Without
// keys it changes only what is for a browser: other callers are answered as by Backstage Functions.
func (s *server) shield(w http.ResponseWriter, r *http.Request) {
	rec, ok := w.(*answer.Recorder)
	if !ok || s.Auth == AuthOff && !isBrowser(r) {
		return
	}
	rec.BeforeHead(func(h http.Header) {
		for _, name := range originWide {
			delete(h, name)
		}
		if h.Get(headerNoSniff) == "" {
			h.Set(headerNoSniff, "nosniff")
		}
		if h.Get(headerPolicy) == "" {
			h.Set(headerPolicy, sandboxPolicy)
		}
	})
}

// isBrowser says whether a browser has made r: over https and to this machine all send Sec-Fetch-Site, and the other
// header whenever a page is opened.
func isBrowser(r *http.Request) bool {
	for _, name := range []string{"Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Upgrade-Insecure-Requests"} {
		if len(r.Header[name]) > 0 {
			return true
		}
	}
	return false
}
