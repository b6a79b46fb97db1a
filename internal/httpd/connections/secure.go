package connections

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// plainText answers callers who speak HTTP without TLS where it is wanted.
const plainText = "HTTP/1.1 400 Bad Request\r\nContent-Type: " + contentType + "\r\nContent-Length: 58\r\n" +
	"Connection: close\r\n\r\n" + `{"error":"This port speaks TLS: use https:// to reach it"}`

// secure is the TLS of a connection.
type secure struct {
	*tls.Conn
	tried  bool                // the handshake was; of the goroutine that reads
	failed error               // of it
	state  tls.ConnectionState // since it did not fail
}

// secure puts TLS between the connection and its caller. Package net/http sees no *tls.Conn and does nothing about it:
// the handshake is part of the first Read, within the time for headers, and HTTP/2 is known by its first bytes.
func (c *Conn) secure() {
	c.tls = &secure{Conn: tls.Server(&writeBound{Conn: c.raw, limit: c.port.Write}, c.port.TLS)}
	c.Conn = c.tls.Conn
}

// shakeHands does so once. Its error ends the connection without a word from net/http.
func (c *Conn) shakeHands() error {
	if c.tls.tried {
		return c.tls.failed
	}
	c.tls.tried = true
	if err := c.tls.Handshake(); err != nil { //nolint:noctx // the deadlines of the connection end it
		c.tls.failed = io.EOF
		c.port.handshakeFailed(err)
		if record, ok := errors.AsType[tls.RecordHeaderError](err); ok && isHTTP(record.RecordHeader) {
			_, _ = io.WriteString(c.raw, plainText) // an error says that the caller is gone
			c.unread.Store(true)
		}
		return c.tls.failed
	}
	c.tls.state = c.tls.ConnectionState()
	return nil
}

// isHTTP says whether the first bytes of a caller are those of a request.
func isHTTP(first [5]byte) bool {
	switch string(first[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "DELET", "OPTIO", "PATCH", "PRI *":
		return true
	}
	return false
}

func (p *Port) handshakeFailed(err error) {
	p.mu.Lock()
	p.stats.HandshakeErrors++
	p.mu.Unlock()
	p.Logger.Debug("TLS handshake failed", "port", p.Name, "error", err)
}

// writeBound gives each write a deadline for which nobody has set one: those of a handshake, and the answers of TLS
// itself to a caller that reads nothing.
type writeBound struct {
	net.Conn
	limit time.Duration
	set   atomic.Bool
}

func (w *writeBound) Write(p []byte) (int, error) {
	if !w.set.Load() {
		if err := w.Conn.SetWriteDeadline(time.Now().Add(w.limit)); err != nil {
			return 0, err
		}
	}
	return w.Conn.Write(p)
}

func (w *writeBound) SetWriteDeadline(t time.Time) error {
	w.set.Store(!t.IsZero())
	return w.Conn.SetWriteDeadline(t)
}

func (w *writeBound) SetDeadline(t time.Time) error {
	w.set.Store(!t.IsZero())
	return w.Conn.SetDeadline(t)
}
