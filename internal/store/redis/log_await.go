package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// maxAwaiting is how many calls of AwaitLog can wait at the same time, each with a connection. They have a pool of
// their own, so that those who wait take none from those who work.
const maxAwaiting = 128

// maxBlock is the longest that one command waits. The client cannot break off a command, so this is also how long
// AwaitLog takes at most to notice that its context has ended.
const maxBlock = time.Second

// newAwaiting returns the client of those who wait. It makes no connection before the first of them.
func newAwaiting(e endpoint, config *tls.Config, as *logins) redis.UniversalClient {
	return e.newClient(config, as, func(o *redis.UniversalOptions) { o.PoolSize = maxAwaiting })
}

// AwaitLog returns the first lines after a place, at most limit, and waits for one if there is none; it returns none
// when none has come within the given time.
func (l *logStore) AwaitLog(
	ctx context.Context, ref function.Ref, after function.LogCursor, limit int, within time.Duration,
) ([]function.LogLine, error) {
	for end := time.Now().Add(within); ; {
		block := max(time.Millisecond, min(time.Until(end), maxBlock)) // 0 would wait without end
		lines, err := l.awaitOnce(ctx, ref, after, limit, block)
		if err != nil || len(lines) > 0 || !time.Now().Before(end) {
			return lines, at("await log of "+ref.String(), err)
		}
	}
}

func (l *logStore) awaitOnce(
	ctx context.Context, ref function.Ref, after function.LogCursor, limit int, block time.Duration,
) ([]function.LogLine, error) {
	bound, cancel := context.WithTimeout(ctx, block+ioTimeout) // the client itself would give a silent Redis much longer
	defer cancel()
	streams, err := l.awaiting.XRead(bound, &redis.XReadArgs{
		Streams: []string{l.keys.stream(ref), after.String()}, Count: int64(limit), Block: block,
	}).Result()
	if errors.Is(err, redis.Nil) {
		return nil, storeError(ctx, ctx.Err())
	}
	if err != nil || len(streams) == 0 {
		return nil, storeError(bound, err)
	}
	return linesOf(ref, streams[0].Messages), nil
}
