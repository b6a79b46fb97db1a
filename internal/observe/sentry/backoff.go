package sentry

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How long nothing is sent to a project that could not be reached, and to one that refuses reports or names no time.
const (
	shortBackoff = 10 * time.Second
	longBackoff  = time.Minute
	maxBackoff   = time.Hour
)

// backoffOf says for how long the answer asks that nothing is sent, 0 when it took the report. Sentry says so in
// X-Sentry-Rate-Limits, "seconds:categories:…" of which one names no category or "error", or in Retry-After.
// https://develop.sentry.dev/sdk/expected-features/rate-limiting/
func backoffOf(answer *http.Response) time.Duration {
	backoff := time.Duration(0)
	for limit := range strings.SplitSeq(answer.Header.Get("X-Sentry-Rate-Limits"), ",") {
		parts := strings.Split(strings.TrimSpace(limit), ":")
		if len(parts) > 1 && (parts[1] == "" || strings.Contains(";"+parts[1]+";", ";error;")) {
			backoff = max(backoff, seconds(parts[0]))
		}
	}
	switch {
	case backoff > 0:
		return backoff
	case answer.StatusCode == http.StatusTooManyRequests:
		if after := seconds(answer.Header.Get("Retry-After")); after > 0 {
			return after
		}
		return longBackoff
	case answer.StatusCode >= 500:
		return shortBackoff
	case answer.StatusCode >= 300 && answer.StatusCode != http.StatusRequestEntityTooLarge:
		return longBackoff // a project that is gone, or no Sentry at all
	}
	return 0
}

func seconds(text string) time.Duration {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(n > 0) {
		return 0
	}
	return time.Duration(min(n, maxBackoff.Seconds()) * float64(time.Second))
}

// maxBackoffs bounds how many projects and hosts are remembered.
const maxBackoffs = 10_000

// backoffs remembers to which projects and hosts nothing is sent for now. The zero value is ready. It is safe for
// concurrent use.
type backoffs struct {
	mu    sync.Mutex // guards until
	until map[string]time.Time
}

func (b *backoffs) active(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	end, ok := b.until[key]
	if ok && !time.Now().Before(end) {
		delete(b.until, key)
		return false
	}
	return ok
}

func (b *backoffs) set(key string, backoff time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until == nil || len(b.until) >= maxBackoffs {
		b.until = map[string]time.Time{}
	}
	b.until[key] = time.Now().Add(backoff)
}
