// Package cpulimit bounds work that takes a processor without a pause, such as decoding or writing megabytes of JSON:
// calls need the processors too.
package cpulimit

import "context"

// Limiter lets so much of such work run at a time. Nil sets no bound. It is safe for concurrent use.
type Limiter chan struct{}

// New leaves half of so many processors to calls.
func New(processors int) Limiter { return make(Limiter, max(1, processors/2)) }

// Acquire waits for a token, which release gives back. A token is held while the work runs, not while somebody is
// waited for, and nobody who has one may wait for another. The error is the cause of the end of ctx.
func (l Limiter) Acquire(ctx context.Context) (release func(), err error) {
	if l == nil {
		return func() {}, nil
	}
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
