package api

import (
	"net/http"
	"strings"
	"time"
)

// isFresh says whether the caller already holds the answer with this status and these headers, so that a 304 will do.
// The rules are those of the npm module fresh 0.3: when the caller sends both If-None-Match and If-Modified-Since both
// must agree (RFC 9110 would ignore the second), and its Cache-Control: no-cache disables the check.
func isFresh(r *http.Request, status int, answer http.Header) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if (status < 200 || status > 299) && status != http.StatusNotModified {
		return false
	}
	tags := strings.Join(r.Header.Values("If-None-Match"), ", ")
	since := r.Header.Get("If-Modified-Since")
	if tags == "" && since == "" {
		return false
	}
	if strings.Contains(strings.Join(r.Header.Values("Cache-Control"), ", "), "no-cache") {
		return false
	}
	return (tags == "" || matchesTag(tags, entityTag(answer))) &&
		(since == "" || notModified(answer.Get("Last-Modified"), since))
}

// matchesTag compares tag with a list of tags, weakly (RFC 9110, section 8.8.3.2).
func matchesTag(list, tag string) bool {
	for candidate := range strings.SplitSeq(list, ",") {
		candidate = strings.Trim(candidate, " ")
		if candidate == "*" || tag != "" && strings.TrimPrefix(candidate, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// notModified says whether the time of the last change is known and not after since.
func notModified(modified, since string) bool {
	m, ok := parseDate(modified)
	if !ok {
		return false
	}
	s, ok := parseDate(since)
	return ok && !m.After(s)
}

// parseDate reads the forms of RFC 9110, and ISO 8601 which functions set and Node.js took as well.
func parseDate(text string) (time.Time, bool) {
	if t, err := http.ParseTime(text); err == nil {
		return t, true
	}
	for _, layout := range []string{time.RFC1123Z, time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
