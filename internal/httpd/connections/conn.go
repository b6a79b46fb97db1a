package connections

import (
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// Part is how much of a body or an answer must be transferred within one timeout, in bytes.
const Part = 64 << 10

// freeHeader is how many bytes of headers are not counted: every connection has a buffer of that size.
const freeHeader = 4 << 10

// Conn is a connection of a Port: its place, its address and its phase. What belongs to a request is in request.
type Conn struct {
	net.Conn          // with TLS the inner half: what is read and written here is plain
	raw      net.Conn // with TLS the outer half, else the same
	tls      *secure  // nil without TLS
	port     *Port
	address  netip.Prefix

	// Guarded by the Port's mutex; room is nil once it has lost its place.
	room          *room
	peer          *peer
	phase         phase
	since         time.Time // when the phase began
	before, after *Conn
	streams       streams // over HTTP/2

	http2    atomic.Bool // it is spoken
	preface  int         // bytes of HTTP/2's that have come, -1 once it cannot be that
	spare    atomic.Bool // it is in the reserve
	inHeader atomic.Bool // headers are read, or waited for
	unread   atomic.Bool // its caller may still be sending a request that was answered
	header   int         // bytes of them; of the goroutine that reads
	request  request     // the one being read or served
}

// newConn is a connection to port that has no place yet.
func newConn(conn net.Conn, port *Port) *Conn {
	c := &Conn{Conn: conn, raw: conn, port: port, address: peerOf(conn.RemoteAddr()), since: time.Now()}
	if port.TLS != nil {
		c.secure()
	}
	c.request.conn = c
	c.inHeader.Store(true)
	return c
}

// Read counts headers, which take memory too.
func (c *Conn) Read(p []byte) (int, error) {
	if c.tls != nil {
		if err := c.shakeHands(); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Read(p)
	if n > 0 && c.inHeader.Load() {
		if c.port.HTTP2 && c.preface >= 0 && c.isPreface(p[:n]) {
			return n, err
		}
		c.request.names.read(p[:n])
		if c.header += n; c.header > freeHeader && !c.port.Bodies.take(&c.request, n) {
			refuseHeader(c.Conn)
			c.unread.Store(true)
			return 0, io.EOF
		}
	}
	return n, err
}

// Write has a deadline for each part, so that a long answer may take long, but no caller can stop reading. Package
// net/http writes from one goroutine at a time.
func (c *Conn) Write(p []byte) (int, error) {
	if !c.request.begun && c.port.Errors != nil {
		if answer, ok := c.port.Errors(p); ok {
			_, err := c.writePart(answer)
			return len(p), err
		}
	}
	switch {
	case len(p) <= Part:
		return c.writePart(p)
	case c.http2.Load(): // streams count what they write
		return inParts(p, c.writePart, func() {})
	}
	return c.request.writeLong(p, c.cut, c.writePart)
}

// writePart writes at most a Part. What counts is how long the caller lets the server wait: many small writes have no
// more time than a large one.
func (c *Conn) writePart(p []byte) (int, error) {
	began := time.Now()
	if err := c.SetWriteDeadline(began.Add(c.request.sent.left(c.port))); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	c.request.sent.add(n, time.Since(began), c.port)
	return n, err
}

// CloseWrite is called by net/http when it has refused a request before its end.
func (c *Conn) CloseWrite() error {
	c.unread.Store(true)
	c.lingerOnce()
	return nil
}

// closeWrite ends what is sent, as (*net.TCPConn).CloseWrite does.
func (c *Conn) closeWrite() error {
	if c.tls != nil {
		_ = c.tls.CloseWrite() // an error shows below
	}
	if half, ok := c.raw.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// cut ends the connection at once, whatever its goroutine is doing. It does not block.
func (c *Conn) cut() { _ = c.raw.Close() } // an error says that it was closed already

// Close gives its place and its memory back. When net/http calls it a refused caller gets time to read why.
func (c *Conn) Close() error {
	c.lingerOnce()
	err := c.Conn.Close()
	c.port.leave(c)
	c.port.Bodies.give(&c.request)
	return err
}
