package redis

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// read sends some reads together. A key of an unexpected type is no error: to a reader there is nothing.
func read(ctx context.Context, client redis.UniversalClient, queue func(redis.Pipeliner)) error {
	commands, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
		queue(p)
		return nil
	})
	return sentError(ctx, commands, err, absent)
}

// sentError is the error of commands that were sent together with the result err, but for errors that are harmless.
func sentError(ctx context.Context, commands []redis.Cmder, err error, harmless func(error) bool) error {
	for _, c := range commands {
		if failure := c.Err(); failure != nil && !harmless(failure) {
			return storeError(ctx, failure)
		}
	}
	if harmless(err) {
		return nil
	}
	return storeError(ctx, err)
}

// absent says whether err is that there is nothing to read.
func absent(err error) bool {
	return err == redis.Nil || wrongType(err) //nolint:errorlint // answers come bare
}
