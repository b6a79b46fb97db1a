package server

import (
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
