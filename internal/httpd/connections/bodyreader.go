package connections

import (
	"io"
	"net/http"
	"time"
)

// unhurried takes the deadline for the request off the connection: once all of the request is there it would end the
// context of a call that takes longer.
func (c *Conn) unhurried() { _ = c.SetReadDeadline(time.Time{}) } // an error says that the connection is closed

// bodyReader bounds the time that a caller takes for each part of a body.
type bodyReader struct {
	io.ReadCloser
	request *request
	until   time.Time // when the whole request must be there
	part    int       // bytes of the part being read
	begun   bool
	ended   bool // all has been read
}

// boundBody bounds the time for the body of r.
func (q *request) boundBody(r *http.Request) {
	q.body = bodyReader{ReadCloser: r.Body, request: q, until: time.Now().Add(q.conn.port.Read)}
	r.Body = &q.body
}

// Read takes no time of its own for a short body, which most often is there as a whole: until the first bytes have come
// the deadline is that of the request.
func (b *bodyReader) Read(p []byte) (int, error) {
	port := b.request.conn.port
	first := !b.begun
	if first {
		b.begun = true
		port.setPhase(b.request, waiting)
	}
	n, err := b.ReadCloser.Read(p)
	if b.part += n; err == io.EOF {
		b.ended = true
		b.request.received()
		port.setPhase(b.request, busy)
	} else if first || b.part >= Part {
		b.part = 0
		b.hurry(port)
	}
	return n, err
}

// received says that all of the request is there. A deadline of a stream is for its body alone, and ends with it.
func (q *request) received() {
	if q.stream == nil {
		q.conn.unhurried()
	}
}

func (b *bodyReader) hurry(port *Port) {
	deadline := time.Now().Add(port.Body)
	if deadline.After(b.until) {
		deadline = b.until
	}
	if s := b.request.stream; s != nil {
		_ = s.control.SetReadDeadline(deadline) // as below
		return
	}
	_ = b.request.conn.SetReadDeadline(deadline) // as in unhurried
}
