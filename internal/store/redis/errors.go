package redis

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// at says which operation failed.
func at(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("redis: %s: %w", operation, err)
}

// storeError converts an error of the Redis client: the cause of a context that ended, function.ErrUnavailable for a
// Redis that is away, else what Redis said.
func storeError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Cause(ctx)
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", function.ErrUnavailable, context.Cause(ctx))
	case redis.IsOOMError(err):
		return fmt.Errorf("%w: %w: %w", function.ErrFull, function.ErrUnavailable, err)
	case away(err):
		return fmt.Errorf("%w: %w", function.ErrUnavailable, err)
	}
	return err
}

// away says whether err is about the server and not about the data: there was no answer, or the answer is that this
// server cannot work now. The answer to a command is a bare redis.Error. What the client was told while it was
// connecting, by a Sentinel for instance, is wrapped and means that there is no connection.
func away(err error) bool {
	if _, answered := err.(redis.Error); !answered { //nolint:errorlint // see above
		return true
	}
	for _, is := range []func(error) bool{
		redis.IsLoadingError, redis.IsReadOnlyError, redis.IsMasterDownError, redis.IsClusterDownError, redis.IsTryAgainError,
		redis.IsMaxClientsError, redis.IsNoReplicasError, redis.IsOOMError, redis.IsAuthError, redis.IsPermissionError,
	} {
		if is(err) {
			return true
		}
	}
	return redis.HasErrorPrefix(err, "MISCONF") || redis.HasErrorPrefix(err, "BUSY")
}

// wrongType says whether another kind of value than expected is stored under a key. To a reader it holds nothing.
func wrongType(err error) bool { return redis.HasErrorPrefix(err, "WRONGTYPE") }
