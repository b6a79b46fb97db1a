package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/connections"
	"github.com/backstage/functions/internal/httpd/sockets"
)

// newSockets starts what holds WebSocket connections; nil when there are none.
func (s *server) newSockets() *sockets.Hub {
	if s.cfg.WebSocket.Connections == 0 {
		return nil
	}
	return sockets.New(sockets.Options{
		Most: s.cfg.WebSocket.Connections, Message: longestMessage(s.cfg), Memory: s.cfg.WebSocket.Memory,
		Idle: s.cfg.WebSocket.Idle, Ping: s.cfg.WebSocket.Ping, Slow: s.cfg.HTTP.Write,
		Invoker: s.invoker, Exchange: s.store, Logger: s.log(),
		Owner: func(namespace string) string { return function.Owner(namespace, s.cfg.OwnerSeparator) },
		Lease: func(r *http.Request) sockets.Lease { return connections.Hijacked(r) },
	})
}

// longestMessage is at most a body, which calls have room for.
func longestMessage(cfg *config.Config) int { return int(min(cfg.WebSocket.Message, cfg.BodyLimit)) }

// socketsOfCalls are the WebSocket connections as functions reach them: a step before the calls begin sets them.
type socketsOfCalls struct{ of *server }

// Longest implements egress.Sockets.
func (s socketsOfCalls) Longest() int { return longestMessage(s.of.cfg) }

// Send implements egress.Sockets.
func (s socketsOfCalls) Send(
	ctx context.Context, namespace, caller, id string, binary bool, data []byte,
) (code string) {
	m := sockets.NewMessage(data, binary)
	if id == "" {
		return codeOf(s.of.sockets.SendAll(ctx, namespace, caller, m))
	}
	return codeOf(s.of.sockets.Send(ctx, namespace, id, m))
}

// Hangup implements egress.Sockets.
func (s socketsOfCalls) Hangup(ctx context.Context, namespace, id string, status int, reason string) (code string) {
	return codeOf(s.of.sockets.Hangup(ctx, namespace, id, status, reason))
}

// codeOf is the error code that functions see; runner-js/realm/connections.js has what each means.
func codeOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, sockets.ErrGone):
		return "ENOTCONN"
	case errors.Is(err, sockets.ErrTooLong):
		return "EMSGSIZE"
	case errors.Is(err, sockets.ErrCode):
		return "EINVAL"
	case errors.Is(err, sockets.ErrText):
		return "EILSEQ"
	}
	return "EAGAIN"
}
