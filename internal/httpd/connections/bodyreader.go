package connections

import (
	"io"
	"time"
)

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
	ended bool // all has been read
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
		b.ended = true
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
