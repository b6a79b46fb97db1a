package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
)

// DefaultMaxFollowers is how many requests may follow the output of functions at the same time.
const DefaultMaxFollowers = 64

// heartbeat is the longest time without a byte to a follower: proxies end connections on which nothing happens.
const heartbeat = 15 * time.Second

// followStep is how many lines are read at once for a follower.
const followStep = 100

var errFollowers = tooManyRequests("Too many requests follow the output of functions")

// joinFollowers is the context of a follower of something of ref, until the caller leaves, their key ends, the server
// does or one of the namespaces is disabled; or that there are too many.
func (s *server) joinFollowers(
	r *http.Request, ref function.Ref, namespaces ...string,
) (ctx context.Context, leave func(), err error) {
	allowed, stopWatching := s.whileAllowed(r, namespaces...)
	joined, leavePlace, err := s.followers.join(allowed, s.Owner(ref.Namespace), s.Client(r))
	if err != nil {
		stopWatching()
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(joined)
	stop := context.AfterFunc(s.Life, cancel)
	return ctx, func() {
		stop()
		cancel()
		leavePlace()
		stopWatching()
	}, nil
}

// followLogs sends lines as events until the caller leaves or the server ends.
func (s *server) followLogs(w http.ResponseWriter, r *http.Request, ref function.Ref, asked logsRequest) error {
	ctx, leave, err := s.joinFollowers(r, ref, ref.Namespace)
	if err != nil {
		return err
	}
	defer leave()
	after, lines, err := s.beginFollowing(ctx, ref, asked)
	if err != nil {
		return err
	}
	events, err := newEventStream(w)
	if err != nil {
		return fmt.Errorf("follow logs of %s: %w", ref, err)
	}
	defer events.end()
	events.limiter = s.rendering
	if err := s.follow(ctx, ref, after, lines, events); err != nil && ctx.Err() == nil {
		s.logFailure(r, slog.LevelWarn, "Following the output of a function ended", err)
		events.sendFailure(outcome.Of(err).Message)
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errOutnumbered):
		events.sendFailure(outcome.Of(errOutnumbered).Message)
	case errors.Is(cause, errKeyEnded):
		events.sendFailure("The key is not valid any more")
	case errors.Is(cause, errDisabled):
		events.sendFailure("The namespace is disabled")
	}
	return nil
}

// beginFollowing returns the lines to begin with, and the line after which to go on.
func (s *server) beginFollowing(
	ctx context.Context,
	ref function.Ref,
	asked logsRequest,
) (function.LogCursor, []function.LogLine, error) {
	none := asked.query().Limit == 0
	if none { // the newest line tells where to go on
		asked.tail = 1
	}
	lines, err := s.readLogs(ctx, ref, asked)
	if err != nil {
		return function.LogCursor{}, nil, err
	}
	after := asked.after
	if len(lines) > 0 {
		after = lines[len(lines)-1].Cursor
	}
	if none {
		lines = nil
	}
	return after, lines, nil
}

// follow sends lines and all that come after them. Its error is that of the store; a caller who left is none.
func (s *server) follow(
	ctx context.Context,
	ref function.Ref,
	after function.LogCursor,
	lines []function.LogLine,
	events *eventStream,
) error {
	for {
		if err := events.sendLines(ctx, lines); err != nil {
			return nil
		}
		if len(lines) > 0 {
			after = lines[len(lines)-1].Cursor
		}
		var err error
		if lines, err = s.Logs.AwaitLog(ctx, ref, after, followStep, heartbeat); err != nil {
			return fmt.Errorf("follow logs of %s: %w", ref, err)
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}
