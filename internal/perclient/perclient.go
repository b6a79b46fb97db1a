// Package perclient bounds how often each of many clients does something.
package perclient

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// looks is how many clients are looked at to find one to forget.
const looks = 8

// Limiter has a token bucket for each client, in bounded memory: among too many clients, one of those with the most
// tokens is forgotten, and has a full bucket when it comes again. It is safe for concurrent use. Use New.
type Limiter struct {
	every time.Duration
	burst int
	most  int

	mu      sync.Mutex // guards the field below
	clients map[string]*rate.Limiter
}

// New returns a Limiter whose buckets hold burst tokens and get a new one every so often; it knows that many clients at
// most.
func New(every time.Duration, burst, most int) *Limiter {
	return &Limiter{every: every, burst: burst, most: most, clients: map[string]*rate.Limiter{}}
}

// Take takes a token of a client. If there is none, it says how long it takes until there is one.
func (l *Limiter) Take(client string, at time.Time) (wait time.Duration, ok bool) {
	bucket := l.bucketOf(client, at)
	if bucket.AllowN(at, 1) {
		return 0, true
	}
	missing := 1 - bucket.TokensAt(at)
	return time.Duration(missing * float64(l.every)), false
}

func (l *Limiter) bucketOf(client string, at time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket, ok := l.clients[client]
	if ok {
		return bucket
	}
	if len(l.clients) >= l.most {
		l.forgetLocked(at)
	}
	bucket = rate.NewLimiter(rate.Every(l.every), l.burst)
	l.clients[client] = bucket
	return bucket
}

// forgetLocked forgets the client with the most tokens of some that are picked at random.
func (l *Limiter) forgetLocked(at time.Time) {
	fullest, most, left := "", -1.0, looks
	for client, bucket := range l.clients {
		if tokens := bucket.TokensAt(at); tokens > most {
			fullest, most = client, tokens
		}
		if left--; left == 0 {
			break
		}
	}
	delete(l.clients, fullest)
}
