package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longestWait bounds how long a request waits for a call.
const longestWait = 60 * time.Second

// preference is what a request says by the header Prefer (RFC 7240) that the server can do.
type preference struct {
	async bool
	// wait is how long the caller would rather wait for the answer than be told where it will be.
	wait time.Duration
}

// preferenceOf reads the header. Of a preference that is there twice the first one counts; what cannot be read is as if
// it were not there.
func preferenceOf(r *http.Request) (p preference) {
	values := r.Header["Prefer"]
	if len(values) == 0 {
		return p
	}
	waits := false
	for item := range strings.SplitSeq(strings.Join(values, ","), ",") {
		item, _, _ = strings.Cut(item, ";") // parameters
		name, value, _ := strings.Cut(item, "=")
		switch name = strings.TrimSpace(name); {
		case strings.EqualFold(name, "respond-async"):
			p.async = true
		case strings.EqualFold(name, "wait") && !waits:
			seconds, err := strconv.Atoi(strings.Trim(strings.TrimSpace(value), `"`))
			if err == nil && seconds > 0 {
				waits, p.wait = true, waitOf(seconds)
			}
		}
	}
	return p
}

// waitOf is so many seconds, or the longest wait.
func waitOf(seconds int) time.Duration {
	return time.Duration(min(max(seconds, 0), int(longestWait/time.Second))) * time.Second
}

// applied is p as a value of the header Preference-Applied.
func (p preference) applied() string {
	if p.wait == 0 {
		return "respond-async"
	}
	return "respond-async, wait=" + strconv.Itoa(int(p.wait/time.Second))
}
