package api

import (
	"context"

	"github.com/backstage/functions/internal/cpulimit"
)

// largeAnswer is from which size on an answer is made under a limit, in bytes: to make it takes as long as a call.
const largeAnswer = 64 << 10

// limiter bounds how many large answers, or parts of them, are made at the same time, together with other work of that
// kind. Nil sets no bound.
type limiter cpulimit.Limiter

func (l limiter) acquire(ctx context.Context) (release func(), err error) {
	return cpulimit.Limiter(l).Acquire(ctx)
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
