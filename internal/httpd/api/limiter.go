package api

import "context"

// largeAnswer is from which size on an answer is made under a limit, in bytes: to make it takes as long as a call.
const largeAnswer = 64 << 10

// limiter bounds how many large answers, or parts of them, are made at the same time: to make one is work without a
// pause, and calls need the processors too. Nil sets no bound. It is safe for concurrent use.
type limiter chan struct{}

// newLimiter leaves half of so many processors to calls.
func newLimiter(processors int) limiter { return make(limiter, max(1, processors/2)) }

// acquire waits for a token, which release gives back. Its error is the cause of the end of ctx.
func (l limiter) acquire(ctx context.Context) (release func(), err error) {
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

// render returns what build returns, an answer of about size bytes. A large one waits for a token; it is not held while
// the answer is sent, which takes a slow caller as long as it likes. Its error is the cause of the end of ctx.
func (l limiter) render(ctx context.Context, size int, build func() []byte) ([]byte, error) {
	if size < largeAnswer {
		return build(), nil
	}
	release, err := l.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return build(), nil
}
