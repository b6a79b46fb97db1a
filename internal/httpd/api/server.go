// Package api is the HTTP server: it turns requests into calls of a store and of an invoker, and their results into
// answers. docs/http-api.md describes what it serves.
package api

import (
	"net/http"
	"sync"

	"github.com/backstage/functions/internal/perclient"
)

// server holds what the handlers share. It does not change after New.
type server struct {
	Options
	followers followers // of output
	readers   followers // of what there is of it
	rendering limiter   // of large answers
	// crossOrigin finds what pages of other sites send.
	crossOrigin *http.CrossOriginProtection
	failures    *perclient.Limiter
	// missingRuntimes are the names of those that were warned of.
	missingRuntimes sync.Map
}

// Handlers are what the ports of a server serve. They are safe for concurrent use.
type Handlers struct {
	// API serves all resources, and what is none of them by the stored routes.
	API http.Handler
	// Run serves probes and the resources that run functions, and what is none of them by the stored routes.
	Run http.Handler

	server *server
}

// Around returns h with a handler of wrap's around each.
func (h Handlers) Around(wrap func(http.Handler) http.Handler) Handlers {
	return Handlers{API: wrap(h.API), Run: wrap(h.Run), server: h.server}
}

// New returns the server's handlers. Requests that net/http refuses before any handler sees them get answers in JSON
// only where JSONError changes what is written.
func New(o Options) Handlers {
	s := newServer(o.withDefaults())
	return Handlers{API: s.router(apiPort), Run: s.router(runPort), server: s}.Around(s.around)
}

func newServer(o Options) *server {
	return &server{
		Options: o, followers: followers{most: o.MaxFollowers}, readers: followers{most: o.MaxLogReaders},
		rendering: limiter(o.Rendering), crossOrigin: newCrossOrigin(o.Reach.Origins),
		failures: perclient.New(failureEvery, failureBurst, maxFailing),
	}
}

// around adds to next what every request needs.
func (s *server) around(next http.Handler) http.Handler {
	inner := s.refuseKeysInURLs(keepEncoding(s.authenticate(s.nested(next))))
	logged := Identify(s.logAccess(s.recoverPanics(limitURL(checkHost(inner)))))
	if s.Auth == AuthOff {
		return logged
	}
	return HideKeys(logged)
}
