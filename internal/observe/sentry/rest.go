package sentry

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How long a project is left alone that could not be reached, and one that refuses reports or names no time.
const (
	shortRest = 10 * time.Second
	longRest  = time.Minute
	maxRest   = time.Hour
)

// restOf says how long the answer asks not to be bothered, 0 when it took the report. Sentry says so in
// X-Sentry-Rate-Limits, "seconds:categories:…" of which one names no category or "error", or in Retry-After.
// https://develop.sentry.dev/sdk/expected-features/rate-limiting/
func restOf(answer *http.Response) time.Duration {
	rest := time.Duration(0)
	for limit := range strings.SplitSeq(answer.Header.Get("X-Sentry-Rate-Limits"), ",") {
		parts := strings.Split(strings.TrimSpace(limit), ":")
		if len(parts) > 1 && (parts[1] == "" || strings.Contains(";"+parts[1]+";", ";error;")) {
			rest = max(rest, seconds(parts[0]))
		}
	}
	switch {
	case rest > 0:
		return rest
	case answer.StatusCode == http.StatusTooManyRequests:
		if after := seconds(answer.Header.Get("Retry-After")); after > 0 {
			return after
		}
		return longRest
	case answer.StatusCode >= 500:
		return shortRest
	case answer.StatusCode >= 300 && answer.StatusCode != http.StatusRequestEntityTooLarge:
		return longRest // a project that is gone, or no Sentry at all
	}
	return 0
}

func seconds(text string) time.Duration {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(n > 0) {
		return 0
	}
	return time.Duration(min(n, maxRest.Seconds()) * float64(time.Second))
}

// maxRests bounds how many projects and hosts are remembered.
const maxRests = 10_000

// rests remembers which projects and hosts are left alone. The zero value is ready. It is safe for concurrent use.
type rests struct {
	mu    sync.Mutex // guards until
	until map[string]time.Time
}

func (r *rests) is(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	end, ok := r.until[key]
	if ok && !time.Now().Before(end) {
		delete(r.until, key)
		return false
	}
	return ok
}

func (r *rests) set(key string, rest time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil || len(r.until) >= maxRests {
		r.until = map[string]time.Time{}
	}
	r.until[key] = time.Now().Add(rest)
}
