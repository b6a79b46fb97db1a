package connections

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
)

// request is what a Port knows of one request. An HTTP/1.1 connection has one at a time, and uses it again for the
// next.
type request struct {
	conn   *Conn
	begun  bool         // a handler serves it
	names  headerNames  // while conn.inHeader is set of the goroutine that reads, then of the handler
	body   bodyReader   // of the handler
	sent   sent         // of the answer
	stream *stream      // nil without HTTP/2
	memory atomic.Int64 // that it has of Bodies

	sending func() // nil, or what is told when a long answer begins to be sent; of the handler
}

// requestKey is that of the request in the context of an http.Request.
type requestKey struct{}

// requestOf returns nil for a request that came through no Port.
func requestOf(r *http.Request) *request {
	q, _ := r.Context().Value(requestKey{}).(*request)
	return q
}

func (p *Port) connContext(ctx context.Context, conn net.Conn) context.Context {
	if c, ok := conn.(*Conn); ok {
		return context.WithValue(ctx, requestKey{}, &c.request)
	}
	return ctx
}

// connState follows the requests of a connection. It is called by the goroutine that serves it.
func (p *Port) connState(conn net.Conn, state http.ConnState) {
	c, ok := conn.(*Conn)
	if !ok || c.http2.Load() { // streams tell of themselves
		return
	}
	switch state { //nolint:exhaustive // Close does the rest
	case http.StateActive: // the headers are there
		c.inHeader.Store(false)
		c.request.sent.spent.Store(0)
		p.setPhase(&c.request, busy)
	case http.StateIdle:
		c.header = 0
		c.request.begun = false
		c.unread.Store(false) // net/http has read on to the end of the body
		c.request.names.reset()
		c.request.sending = nil
		c.inHeader.Store(true)
		p.Bodies.give(&c.request)
		p.setPhase(&c.request, idle)
	}
}

// handler refuses requests that have no place, and has the time that bodies take bounded.
func (p *Port) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := requestOf(r)
		if q == nil {
			next.ServeHTTP(w, r)
			return
		}
		c := q.conn
		if c.tls != nil {
			r.TLS = &c.tls.state
		}
		if c.http2.Load() {
			p.serveStream(w, r, c, next)
			return
		}
		q.begun = true
		if c.spare.Load() {
			if !p.Probe(r) && !p.promote(c) {
				p.refused()
				p.setPhase(q, waiting)
				w.Header().Set("Connection", "close")
				refuse(w, tooMany)
				return
			}
			if c.spare.Load() {
				w.Header().Set("Connection", "close")
			}
		}
		if r.ContentLength != 0 {
			q.boundBody(r)
		} else {
			c.unhurried()
		}
		next.ServeHTTP(w, r)
		c.unread.Store(r.ContentLength != 0 && !q.body.ended)
	})
}
