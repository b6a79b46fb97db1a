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

// Conn is a connection of a Port.
type Conn struct {
	net.Conn
	port    *Port
	address netip.Prefix

	// Guarded by the Port's mutex; room is nil once it has lost its place.
	room          *room
	peer          *peer
	phase         phase
	since         time.Time // when the phase began
	before, after *Conn

	spare    atomic.Bool  // it is in the reserve
	inHeader atomic.Bool  // headers are read, or waited for
	header   int          // bytes of them; of the goroutine that reads
	names    headerNames  // theirs; while inHeader is set that goroutine's, then the handler's
	body     bodyReader   // of the request being served
	spent    atomic.Int64 // time that its caller let answers wait, since the last whole Part; in nanoseconds
	written  int          // bytes since then; of the goroutine that writes

	memory atomic.Int64 // that it has of Bodies
}

// Read counts headers, which take memory too.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && c.inHeader.Load() {
		c.names.read(p[:n])
		if c.header += n; c.header > freeHeader && !c.port.Bodies.take(c, n) {
			refuseHeader(c.Conn)
			return 0, io.EOF
		}
	}
	return n, err
}

// Write has a deadline for each part, so that a long answer may take long, but no caller can stop reading. Package
// net/http writes from one goroutine at a time.
func (c *Conn) Write(p []byte) (int, error) {
	if len(p) <= Part {
		return c.writePart(p)
	}
	c.port.setPhase(c, waiting)
	held := c.port.Answers.take(c, len(p))
	written := 0
	for written < len(p) {
		n, err := c.writePart(p[written:min(len(p), written+Part)])
		written += n
		if err != nil {
			c.port.Answers.give(held)
			return written, err
		}
		held.advanced()
	}
	c.port.Answers.give(held)
	c.port.setPhase(c, busy)
	return written, nil
}

// writePart writes at most a Part. What counts is how long the caller lets the server wait: many small writes have no
// more time than a large one.
func (c *Conn) writePart(p []byte) (int, error) {
	began := time.Now()
	if err := c.SetWriteDeadline(began.Add(c.port.Write - time.Duration(c.spent.Load()))); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if c.written += n; c.written >= Part && !c.port.WholeAnswers {
		c.written = 0
		c.spent.Store(0)
	} else {
		c.spent.Add(int64(time.Since(began)))
	}
	return n, err
}

// CloseWrite ends what is sent, as (*net.TCPConn).CloseWrite does: net/http does so that a refused caller sees why.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close gives its place and its memory back.
func (c *Conn) Close() error {
	err := c.Conn.Close()
	c.port.leave(c)
	c.port.Bodies.give(c)
	return err
}
