package connections

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

// connKey is that of the Conn in the context of a request.
type connKey struct{}

func (p *Port) connContext(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// connState follows the requests of a connection. It is called by the goroutine that serves it.
func (p *Port) connState(conn net.Conn, state http.ConnState) {
	c, ok := conn.(*Conn)
	if !ok {
		return
	}
	switch state { //nolint:exhaustive // Close does the rest
	case http.StateActive: // the headers are there
		c.inHeader.Store(false)
		c.spent.Store(0)
		p.setPhase(c, busy)
	case http.StateIdle:
		c.header = 0
		c.names.reset()
		c.inHeader.Store(true)
		p.Bodies.give(c)
		p.setPhase(c, idle)
	}
}

// handler refuses requests that have no place, and has the time that bodies take bounded.
func (p *Port) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := r.Context().Value(connKey{}).(*Conn)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		if c.spare.Load() {
			if !p.Probe(r) && !p.promote(c) {
				p.refused()
				p.setPhase(c, waiting)
				refuse(w)
				return
			}
			if c.spare.Load() {
				w.Header().Set("Connection", "close")
			}
		}
		if r.ContentLength != 0 {
			c.body = bodyReader{ReadCloser: r.Body, conn: c, until: time.Now().Add(p.Read)}
			r.Body = &c.body
		} else {
			c.unhurried()
		}
		next.ServeHTTP(w, r)
	})
}

// unhurried takes the deadline for the request off the connection: once all of the request is there it would end the
// context of a call that takes longer.
func (c *Conn) unhurried() { _ = c.SetReadDeadline(time.Time{}) } // an error says that the connection is closed

// bodyReader bounds the time that a caller takes for each part of a body.
type bodyReader struct {
	io.ReadCloser
	conn  *Conn
	until time.Time // when the whole request must be there
	part  int       // bytes of the part being read
	begun bool
}

// Read takes no time of its own for a short body, which most often is there as a whole: until the first bytes have come
// the deadline is that of the request.
func (b *bodyReader) Read(p []byte) (int, error) {
	first := !b.begun
	if first {
		b.begun = true
		b.conn.port.setPhase(b.conn, waiting)
	}
	n, err := b.ReadCloser.Read(p)
	if b.part += n; err == io.EOF {
		b.conn.unhurried()
		b.conn.port.setPhase(b.conn, busy)
	} else if first || b.part >= Part {
		b.part = 0
		b.hurry()
	}
	return n, err
}

func (b *bodyReader) hurry() {
	deadline := time.Now().Add(b.conn.port.Body)
	if deadline.After(b.until) {
		deadline = b.until
	}
	_ = b.conn.SetReadDeadline(deadline) // as in unhurried
}
