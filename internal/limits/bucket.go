package limits

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/backstage/functions/internal/usage"
)

const (
	// leaseWait is how long a call waits for tokens from the store before this server goes on alone.
	leaseWait = 100 * time.Millisecond
	// leasePause is the least time until the store is asked again after it had too few tokens.
	leasePause = 50 * time.Millisecond
	// awayPause is the time until it is asked again after it did not answer.
	awayPause = time.Second
	// leasedPart is the part of a bucket that all servers together may have leased: one of so many.
	leasedPart = 20
)

// bucket is this server's part of the bucket of a rate. The mutex of its entry guards it. Tokens are leased from the
// store in batches, the next one before the last is used up, so that calls do not wait for the store:
//
//	tokens > 0           a call takes one
//	tokens ≤ batch/2     more are asked for in the background
//	none, and the store had too few at the last time    refused until emptyUntil
//	none, and nobody knows                              the call waits for the answer of the store
//	the store is away    alone, a bucket with this server's share of the rate, takes its place
type bucket struct {
	rate       usage.Rate
	tokens     int
	left       int // in the store after the last lease
	batch      int
	leased     time.Time // when the last tokens came
	emptyUntil time.Time
	askAgain   time.Time // not before
	alone      *rate.Limiter
}

// set makes r the rate.
func (b *bucket) set(r usage.Rate) {
	if b.rate != r {
		*b = bucket{rate: r, tokens: min(b.tokens, r.Calls), batch: 1}
	}
}

// wants is how many tokens to ask for when so many calls wait.
func (b *bucket) wants(waiting int) int { return max(waiting+b.batch-b.tokens, 0) }

// grant adds what the store has given for want.
func (b *bucket) grant(g usage.Grant, want, servers int, now time.Time) {
	most := max(b.rate.Calls/(leasedPart*servers), 1)
	switch since := now.Sub(b.leased); {
	case since < 2*leasePause:
		b.batch *= 2
	case since > time.Second:
		b.batch /= 2
	}
	b.batch = min(max(b.batch, 1), most)
	b.leased, b.alone = now, nil
	b.tokens += g.Tokens
	b.left = g.Left
	if g.Tokens < want {
		b.emptyUntil = now.Add(max(g.Wait, leasePause))
	}
}

// goAlone has the server go on with its share of the rate. It begins with few tokens, since those of before the store
// went away are used.
func (b *bucket) goAlone(servers int, now time.Time) {
	b.askAgain = now.Add(awayPause)
	if b.alone == nil {
		share := rate.Limit(b.rate.PerSecond() / float64(servers))
		b.alone = rate.NewLimiter(share, max(b.rate.Calls/(leasedPart*servers), 1))
	}
}

// mayAsk says whether the store may be asked now.
func (b *bucket) mayAsk(now time.Time) bool {
	return !now.Before(b.emptyUntil) && !now.Before(b.askAgain)
}

// take takes a token. If there is none, refused says that there will not be one for wait; else nobody knows.
func (b *bucket) take(now time.Time) (ok, refused bool, wait time.Duration) {
	switch {
	case b.tokens > 0:
		b.tokens--
		return true, false, 0
	case b.alone != nil:
		if b.alone.AllowN(now, 1) {
			return true, false, 0
		}
		missing := 1 - b.alone.TokensAt(now)
		return false, true, time.Duration(missing / float64(b.alone.Limit()) * float64(time.Second))
	case now.Before(b.emptyUntil):
		return false, true, b.emptyUntil.Sub(now)
	}
	return false, false, 0
}
