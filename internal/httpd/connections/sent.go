package connections

import (
	"net/http"
	"sync/atomic"
	"time"
)

// sent is how far an answer has been written. The zero value is one that has not begun.
type sent struct {
	spent   atomic.Int64 // time that its caller let it wait, since the last whole Part; in nanoseconds
	written int          // bytes since then; of the goroutine that writes
}

// left is how long the caller may still let the next bytes wait.
func (s *sent) left(p *Port) time.Duration { return p.Write - time.Duration(s.spent.Load()) }

// add counts n bytes that took so long.
func (s *sent) add(n int, took time.Duration, p *Port) {
	if s.written += n; s.written >= Part && !p.WholeAnswers {
		s.written = 0
		s.spent.Store(0)
	} else {
		s.spent.Add(int64(took))
	}
}

// OnSending calls begun once a long answer to r has its memory among all that are sent, which is bounded; never for a
// short one, unless Packed is called. It is for the handler of r, which may return before.
func OnSending(r *http.Request, begun func()) {
	if q := requestOf(r); q != nil {
		q.sending = begun
	}
}

// Packed says that what is sent for the answer to r is another text from now on. It is for a handler around that of r,
// before it sends.
func Packed(r *http.Request) {
	if q := requestOf(r); q != nil {
		q.tellSending()
	}
}

func (q *request) tellSending() {
	if q.sending != nil {
		q.sending()
		q.sending = nil
	}
}

// writeLong writes more than a Part with write, which takes at most one. Cut ends the answer at once.
func (q *request) writeLong(p []byte, cut func(), write func([]byte) (int, error)) (int, error) {
	port := q.conn.port
	port.setPhase(q, waiting)
	held := port.Answers.take(cut, port.Write, len(p))
	q.tellSending()
	n, err := inParts(p, write, held.advanced)
	port.Answers.give(held)
	if err == nil {
		port.setPhase(q, busy)
	}
	return n, err
}

// inParts calls advanced after each part.
func inParts(p []byte, write func([]byte) (int, error), advanced func()) (written int, err error) {
	for written < len(p) {
		n, err := write(p[written:min(len(p), written+Part)])
		if written += n; err != nil {
			return written, err
		}
		advanced()
	}
	return written, nil
}
