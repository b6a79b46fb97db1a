package api

import (
	"net/http"

	"github.com/backstage/functions/internal/httpd/forwarded"
	"github.com/backstage/functions/internal/outcome"
)

// newCrossOrigin finds requests that a page of another site has a browser make: browsers send text by POST to any
// address. Pages of the origins may. An origin that is none changes nothing.
func newCrossOrigin(origins []string) *http.CrossOriginProtection {
	p := http.NewCrossOriginProtection()
	for _, origin := range origins {
		_ = p.AddTrustedOrigin(origin) // as was said
	}
	return p
}

// sameSite has h, which serves what n is needed for, serve no page of another site. Runs are for pages too: the option
// cors says for which. Batches are not.
func (s *server) sameSite(n need, h handler) handler {
	if n.runs && n.calls && !n.own {
		return h
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.checkSite(r); err != nil {
			return err
		}
		return h(w, r)
	}
}

// checkSite refuses what a page of another site may have sent to change something.
func (s *server) checkSite(r *http.Request) error {
	if r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") == "" {
		return nil // no browser
	}
	asked := *r
	asked.Host = forwarded.Host(r, s.TrustedProxies)
	if s.crossOrigin.Check(&asked) == nil {
		return nil
	}
	return outcome.New(outcome.Outcome{
		Status: http.StatusForbidden, Reason: "cross_site", Fault: outcome.FaultCaller,
		Message: "Pages of other sites may change nothing here: ALLOWED_ORIGINS has the origins of those that may",
	})
}
