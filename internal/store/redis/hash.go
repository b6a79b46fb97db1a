package redis

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Others can write to the same Redis, so no value is fetched before its length is known. In bytes, maxSettings bounds
// the record of a namespace, which each of its functions in memory carries, and maxRevision what identifies a
// revision.
const (
	maxSettings = 64 << 10
	maxRevision = 1 << 10
)

// readHash queues a read of fields of a hash, unless they are longer than most bytes together. It sends the whole
// script, since a pipeline cannot retry one whose hash Redis does not know.
func readHash(ctx context.Context, p redis.Pipeliner, key string, most int64, fields []string) *redis.Cmd {
	args := []any{most}
	for _, name := range fields {
		args = append(args, name)
	}
	return p.Eval(ctx, readSource, []string{key}, args...)
}

// hash returns what readHash read, and whether it was short enough.
func hash(c *redis.Cmd) (values []any, fit bool) {
	_, length := c.Val().(int64)
	values, _ = c.Val().([]any)
	return values, !length
}
