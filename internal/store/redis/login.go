package redis

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// login is a user, empty for the default one, and a password, empty for none.
type login struct{ username, password string }

// logins are what an endpoint's user and password may mean, tried one after the other: Backstage Functions ignored
// the user, and connected to a Redis without a password although it had one. The first login that Redis accepts is
// kept. All clients of an endpoint share them. They are safe for concurrent use.
type logins struct {
	all      []login
	current  atomic.Int32
	reported atomic.Int32 // the last one that was logged
	log      *slog.Logger
	name     string
}

func newLogins(e *endpoint, name string, log *slog.Logger) *logins {
	l := &logins{log: log, name: name, all: []login{{e.username, e.password}}}
	if e.username != "" && e.password != "" {
		l.all = append(l.all, login{"", e.password})
	}
	if e.password != "" {
		l.all = append(l.all, login{})
	}
	return l
}

// credentials are for a new connection.
func (l *logins) credentials() (username, password string) {
	now := l.all[l.current.Load()]
	return now.username, now.password
}

// try runs do, which needs a connection, and runs it again with the next login as long as Redis refuses the login. When
// Redis refuses all, it returns the error of the first.
func (l *logins) try(ctx context.Context, do func() error) error {
	at := l.current.Load()
	first := do()
	for err := first; ; {
		next := l.after(at, err)
		if next < 0 {
			if at != 0 && isLoginError(err) {
				l.current.Store(0)
				return first
			}
			l.report(ctx, at, err)
			return err
		}
		l.current.CompareAndSwap(at, next)
		at = next
		err = do()
	}
}

// after is the login to try after err with login at, -1 for none.
func (l *logins) after(at int32, err error) int32 {
	last := int32(len(l.all) - 1)
	switch {
	case at == last || !isLoginError(err):
		return -1
	case needsNone(err):
		return last
	case at+1 < last: // without a password only where Redis says that there is none
		return at + 1
	}
	return -1
}

// report logs once that another login than the first one is in use.
func (l *logins) report(ctx context.Context, at int32, err error) {
	if at == 0 || isLoginError(err) || l.reported.Swap(at) == at {
		return
	}
	text := "Redis does not take the user with this password, but the password alone, so it is used as Backstage " +
		"Functions did: leave the user out, or make it known to Redis"
	if l.all[at] == (login{}) {
		text = "Redis asks for no password, so none is used: leave it out, or give Redis one"
	}
	l.log.WarnContext(ctx, text, "endpoint", l.name)
}

// isLoginError says whether Redis refuses user or password. Before version 6 it knows no users, and complains about the
// number of arguments.
func isLoginError(err error) bool {
	return err != nil && (redis.IsAuthError(err) || needsNone(err) ||
		strings.Contains(err.Error(), "wrong number of arguments for 'auth' command"))
}

// needsNone says whether Redis answered that it has no password.
func needsNone(err error) bool {
	text := err.Error()
	return strings.Contains(text, "no password is set") || strings.Contains(text, "without any password configured")
}

// logins are a redis.Hook: the commands of a client go through try. Subscriptions do not: watch makes them, after the
// commands, and retries.

// DialHook implements redis.Hook.
func (l *logins) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook implements redis.Hook.
func (l *logins) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, c redis.Cmder) error {
		return l.try(ctx, func() error {
			c.SetErr(nil)
			return next(ctx, c)
		})
	}
}

// ProcessPipelineHook implements redis.Hook.
func (l *logins) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		return l.try(ctx, func() error {
			for _, c := range commands {
				c.SetErr(nil)
			}
			return next(ctx, commands)
		})
	}
}
