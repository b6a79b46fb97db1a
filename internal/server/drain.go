package server

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// drain is the shutdown of the server: once it begins no new callers are accepted, and callers that are connected get
// their answers within a limit. It is safe for concurrent use.
type drain struct {
	begun   atomic.Bool
	timeout time.Duration
	once    sync.Once
	limit   context.Context //nolint:containedctx // shared by all parts that stop
}

func newDrain(timeout time.Duration) *drain { return &drain{timeout: timeout} }

// Draining says whether the shutdown has begun. A balancer should send no more requests then.
func (d *drain) Draining() bool { return d.begun.Load() }

// until ends when the time for the rest is over. It begins with the first call.
func (d *drain) until() context.Context {
	d.once.Do(func() {
		limit, cancel := context.WithTimeout(context.Background(), d.timeout)
		context.AfterFunc(limit, cancel)
		d.limit = limit
	})
	return d.limit
}

// handler asks callers to close their connections once the shutdown has begun: HTTP has no other way to end an idle
// connection that certainly loses no request (RFC 9112, section 9.6).
func (d *drain) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&drainWriter{w, d}, r)
	})
}

type drainWriter struct {
	http.ResponseWriter
	drain *drain
}

func (w *drainWriter) WriteHeader(status int) {
	if w.drain.Draining() {
		w.Header().Set("Connection", "close")
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *drainWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
