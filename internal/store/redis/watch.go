package redis

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
)

// heartbeat is how long the subscription may be silent before the server is asked whether it is still there, and how
// long it may then take to answer.
const heartbeat = 5 * time.Second

const (
	// minWait and maxWait bound the pause before a lost subscription is renewed; it doubles with every failure.
	minWait = 50 * time.Millisecond
	maxWait = 2 * time.Second
	// forbiddenWait is maxWait for a user who may not subscribe.
	forbiddenWait = time.Minute
)

// Watch calls notify for every write of any server on the same data, one at a time, until ctx ends or the store is
// closed. Nobody tells of writes while there was no connection, so notify gets a Change of all after each reconnect.
func (s *Store) Watch(ctx context.Context, notify func(function.Change)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()

	w := watch{Store: s, notify: notify, wait: minWait}
	for ctx.Err() == nil {
		err := w.subscribe(ctx)
		if ctx.Err() != nil {
			return
		}
		w.lost(ctx, err)
		select {
		case <-ctx.Done():
		case <-time.After(w.wait):
		}
		most := maxWait
		if redis.IsPermissionError(err) {
			most = forbiddenWait
		}
		w.wait = min(2*w.wait, most)
	}
}

// watch is the state of one call of Watch.
type watch struct {
	*Store
	notify func(function.Change)
	missed bool // changes may have been missed: there was a time without a subscription
	wait   time.Duration
}

// subscribe passes on notices until the subscription is lost or ctx ends.
func (w *watch) subscribe(ctx context.Context) error {
	sub := w.client.Subscribe(ctx, w.keys.changes())
	closeSub := context.AfterFunc(ctx, func() { _ = sub.Close() })
	defer func() {
		if closeSub() {
			_ = sub.Close()
		}
	}()
	silent := false
	for {
		message, err := sub.ReceiveTimeout(ctx, w.heartbeat)
		switch {
		case err == nil:
			silent = false
			w.handle(ctx, message)
		case isTimeout(err) && !silent:
			silent = true
			if err := sub.Ping(ctx); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func (w *watch) handle(ctx context.Context, message any) {
	if ctx.Err() != nil {
		return
	}
	switch m := message.(type) {
	case *redis.Subscription:
		w.log.InfoContext(ctx, "Redis is ready to receive calls.")
		w.wait = minWait
		if w.missed {
			w.missed = false
			w.notify(function.Change{All: true})
		}
	case *redis.Message:
		w.notify(parseNotice(m.Payload))
	}
}

// lost logs the beginning of a time without a subscription.
func (w *watch) lost(ctx context.Context, err error) {
	switch {
	case w.missed:
	case redis.IsPermissionError(err):
		w.log.WarnContext(
			ctx,
			"The user of Redis may not use the channel that tells of deploys: those through other servers are "+
				"seen when a function in memory is checked, within about a second. To allow it: ACL SETUSER USER &CHANNEL",
			"endpoint",
			w.name,
			"channel",
			w.keys.changes(),
			"error",
			err,
		)
	default:
		w.log.WarnContext(
			ctx, "The connection with Redis has been lost. Performance issues may happen.", "endpoint", w.name, "error", err,
		)
	}
	w.missed = true
}
