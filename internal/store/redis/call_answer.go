package redis

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// readsOfAnswers is how many answers are read at a time. Long ones keep Redis and a connection busy for tens of
// milliseconds each: as many as there are callers who ask for them would keep everybody else from the store, until it
// seems to be away.
const readsOfAnswers = 4

// answerReads has a token for each answer that is being read. It is safe for concurrent use.
type answerReads chan struct{}

// readAnswer reads the answer that is kept with a call or an idempotency key. Who finds too many others reading waits.
// It returns queue.ErrNotFound when there is none.
func (s *Store) readAnswer(ctx context.Context, ref function.Ref, id string) ([]byte, error) {
	select {
	case s.reads <- struct{}{}:
		defer func() { <-s.reads }()
	case <-ctx.Done():
		return nil, storeError(ctx, ctx.Err())
	}
	answer, err := s.client.HGet(ctx, s.callKey(ref, id), "result").Bytes()
	if err == redis.Nil { //nolint:errorlint // the client's own, bare
		return nil, queue.ErrNotFound
	}
	return answer, storeError(ctx, err)
}
