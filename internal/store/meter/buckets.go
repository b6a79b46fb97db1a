// Package meter has the buckets of rates in memory, and which servers have sent their usage, for the stores bolt and
// mem.
package meter

import (
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/backstage/functions/internal/usage"
)

// sweepAt is how many buckets there are before full ones are forgotten.
const sweepAt = 1 << 12

// bucket is a limiter and when tokens were last asked of it.
type bucket struct {
	*rate.Limiter
	asked time.Time
}

// Buckets are those of rates, by their subjects. The zero value is ready. They are not safe for concurrent use.
type Buckets struct {
	all     map[usage.Subject]*bucket
	sweepAt int
}

// Take takes tokens at a time and returns what each Take got.
func (b *Buckets) Take(takes []usage.Take, now time.Time) []usage.Grant {
	grants := make([]usage.Grant, len(takes))
	for i, take := range takes {
		limiter := b.of(take, now)
		tokens := max(min(take.Want, int(limiter.TokensAt(now)+1e-9)), 0)
		if tokens > 0 {
			limiter.AllowN(now, tokens)
		}
		grants[i].Tokens, grants[i].Left = tokens, max(int(limiter.TokensAt(now)), 0)
		if tokens < take.Want {
			missing := math.Max(1-limiter.TokensAt(now), 0)
			grants[i].Wait = time.Duration(missing / take.Rate.PerSecond() * float64(time.Second))
		}
	}
	return grants
}

// of returns the bucket of a Take. A rate that was set since the last Take counts from that one on, as in Redis: the
// store is not told when it was set.
func (b *Buckets) of(take usage.Take, now time.Time) *bucket {
	limit := rate.Limit(take.Rate.PerSecond())
	limiter := b.all[take.Subject]
	if limiter == nil {
		b.sweep(now)
		limiter = &bucket{Limiter: rate.NewLimiter(limit, take.Rate.Calls)}
		b.all[take.Subject] = limiter
	}
	if limiter.Limit() != limit || limiter.Burst() != take.Rate.Calls { // somebody has set another rate
		limiter.SetLimitAt(limiter.asked, limit)
		limiter.SetBurstAt(limiter.asked, take.Rate.Calls)
	}
	limiter.asked = now
	return limiter
}

// sweep forgets buckets that are full, as those are that do not exist, once there are many.
func (b *Buckets) sweep(now time.Time) {
	if b.all == nil {
		b.all, b.sweepAt = map[usage.Subject]*bucket{}, sweepAt
	}
	if len(b.all) < b.sweepAt {
		return
	}
	for subject, limiter := range b.all {
		if limiter.TokensAt(now) >= float64(limiter.Burst()) {
			delete(b.all, subject)
		}
	}
	b.sweepAt = max(2*len(b.all), sweepAt)
}
