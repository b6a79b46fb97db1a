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
	paced   bool // see Paced
}

// boundBody bounds the time for the body of r.
func (q *request) boundBody(r *http.Request) {
	q.body = bodyReader{ReadCloser: r.Body, request: q, until: time.Now().Add(q.conn.port.Read)}
	r.Body = &q.body
}

// Paced says that the body of r is read as fast as what is in it is served: its caller has as long for each read as for
// a part of a body, and for all of them together any time. It is to be called before the first read.
func Paced(r *http.Request) {
	if q := requestOf(r); q != nil {
		q.body.paced = true
		q.readUntil(time.Time{})
	}
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
	if b.paced {
		b.request.readUntil(time.Now().Add(port.Body))
	}
	n, err := b.ReadCloser.Read(p)
	if b.paced && err == nil { // else HTTP/2 would end the body while nobody reads it
		b.request.readUntil(time.Time{})
	}
	if b.part += n; err == io.EOF {
		b.ended = true
		b.request.received()
		port.setPhase(b.request, busy)
	} else if !b.paced && (first || b.part >= Part) {
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
	b.request.readUntil(deadline)
}

// readUntil bounds the time for the next read.
func (q *request) readUntil(deadline time.Time) {
	if q.stream != nil {
		_ = q.stream.control.SetReadDeadline(deadline) // as below
		return
	}
	_ = q.conn.SetReadDeadline(deadline) // as in unhurried
}
