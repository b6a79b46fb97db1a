package redis

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// DefaultDialTimeout is how long a try to connect may take.
const DefaultDialTimeout = time.Second

// Limits of the client. A Redis that is gone is known as such in about two seconds, one that is silent in about four.
const (
	ioTimeout = 2 * time.Second
	retries   = 1
	poolSize  = 64 // connections, made as needed
)

// newClient connects as one of the logins. Change, if it is not nil, changes the options before.
func (e endpoint) newClient(
	config *tls.Config, as *logins, change func(*redis.UniversalOptions),
) redis.UniversalClient {
	o := e.options(config)
	o.CredentialsProvider = as.credentials
	if change != nil {
		change(o)
	}
	client := redis.NewUniversalClient(o)
	client.AddHook(as)
	return client
}

func (e endpoint) options(config *tls.Config) *redis.UniversalOptions {
	timeout := cmp.Or(e.dialTimeout, DefaultDialTimeout)
	o := &redis.UniversalOptions{
		Addrs:                 e.addrs,
		Username:              e.username,
		Password:              e.password,
		DB:                    e.database,
		MasterName:            e.master,
		SentinelUsername:      e.sentinelUser,
		SentinelPassword:      e.sentinelPassword,
		IsClusterMode:         e.cluster,
		DialTimeout:           timeout,
		DialerRetries:         1,
		ReadTimeout:           ioTimeout,
		WriteTimeout:          ioTimeout,
		PoolTimeout:           ioTimeout,
		MaxRetries:            retries,
		PoolSize:              poolSize,
		PipelinePoolSize:      -1, // pipelines share the pool
		ContextTimeoutEnabled: true,
		DisableIdentity:       true,
		MaintNotificationsConfig: &maintnotifications.Config{
			Mode: maintnotifications.ModeDisabled,
		},
	}
	if e.tls {
		o.TLSConfig = config
	}
	o.Dialer = dialer(o.TLSConfig, timeout)
	return o
}

// UseLogger gives what the Redis client logs to logger, for the whole process. By itself it writes to standard error.
func UseLogger(logger *slog.Logger) { redis.SetLogger(clientLog{logger}) }

// clientLog passes on what the Redis client logs; what it fails to do reaches the caller as an error as well.
type clientLog struct{ *slog.Logger }

// Printf implements the client's logger.
func (l clientLog) Printf(ctx context.Context, format string, args ...any) {
	if l.Enabled(ctx, slog.LevelDebug) {
		l.DebugContext(ctx, fmt.Sprintf(format, args...))
	}
}
