package api

import (
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/answer"
	"github.com/backstage/functions/internal/outcome"
)

// The headers of the CORS protocol (Fetch standard, section 3.2).
const (
	corsPrefix      = "Access-Control-"
	corsOrigin      = corsPrefix + "Allow-Origin"
	corsCredentials = corsPrefix + "Allow-Credentials"
	corsMethods     = corsPrefix + "Allow-Methods"
	corsHeaders     = corsPrefix + "Allow-Headers"
	corsMaxAge      = corsPrefix + "Max-Age"
	corsExpose      = corsPrefix + "Expose-Headers"
	corsAsksMethod  = corsPrefix + "Request-Method"
)

// shareAnswer has every answer to r tell browsers which pages may read it, whatever comes of the request: one that the
// function's code, a deadline, a full queue or a fault of the server ends. What the function says of that itself is
// dropped.
func shareAnswer(w http.ResponseWriter, r *http.Request, c *function.CORS) {
	rec, ok := w.(*answer.Recorder)
	if !ok {
		return
	}
	origin, preflight := r.Header.Get("Origin"), isPreflight(r)
	rec.BeforeHead(func(h http.Header) {
		if !preflight {
			maps.DeleteFunc(h, func(name string, _ []string) bool { return strings.HasPrefix(name, corsPrefix) })
		}
		if !c.AllowsAll() {
			answer.AddVary(h, "Origin")
		}
		if origin == "" || !c.Allows(origin) {
			return
		}
		h.Set(corsOrigin, origin)
		if c.AllowsAll() {
			h.Set(corsOrigin, "*")
		}
		if c.Credentials {
			h.Set(corsCredentials, "true")
		}
		if len(c.Expose) > 0 && !preflight {
			h.Set(corsExpose, strings.Join(c.Expose, ", "))
		}
	})
}

// maxShownOrigin is the longest origin that an answer repeats, in bytes.
const maxShownOrigin = 253

// isOdd says whether no origin has c, as browsers send it.
func isOdd(c rune) bool { return c <= ' ' || c > '~' }

// isPreflight says whether a browser asks with r whether a page may make another request.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get(corsAsksMethod) != ""
}

// answerPreflight says which requests pages may make. No function runs for that.
func answerPreflight(w http.ResponseWriter, r *http.Request, c *function.CORS) error {
	h := w.Header()
	answer.AddVary(h, corsAsksMethod)
	answer.AddVary(h, corsPrefix+"Request-Headers")
	if origin := r.Header.Get("Origin"); !c.Allows(origin) {
		if len(origin) > maxShownOrigin || strings.ContainsFunc(origin, isOdd) {
			origin = "this origin"
		}
		return outcome.New(outcome.Outcome{
			Status: http.StatusForbidden, Fault: outcome.FaultCaller,
			Message: "Pages of " + origin + " may not call this function: it is not among the origins of its option cors",
		})
	}
	methods := c.Methods
	if methods == nil {
		methods = function.DefaultCORSMethods
	}
	h.Set(corsMethods, strings.Join(methods, ", "))
	if len(c.Headers) > 0 {
		h.Set(corsHeaders, strings.Join(c.Headers, ", "))
	}
	if c.MaxAge > 0 {
		h.Set(corsMaxAge, strconv.Itoa(int(c.MaxAge.Seconds())))
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}
