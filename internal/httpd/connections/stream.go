package connections

import (
	"context"
	"net/http"
	"time"
)

// stream is a request over HTTP/2 and the writer of its answer. Its caller can stop reading it without stopping the
// connection, so its writes have a time of their own.
type stream struct {
	http.ResponseWriter
	request request
	control *http.ResponseController
	phase   phase // guarded by the Port's mutex
	counted bool  // among those that need a place; as above
}

// streams are those of a connection that are not yet closed. They are guarded by the Port's mutex.
type streams struct {
	counted int         // that need a place: one has the connection's
	places  int         // that others have
	phases  [phases]int // how many are in each
}

// move takes s, which is among them, into a phase and returns that of the connection.
func (t *streams) move(s *stream, to phase) phase {
	t.phases[s.phase]--
	s.phase = to
	t.phases[to]++
	return t.phase()
}

// phase is that of a connection with these streams: it is ended for others only if none of them would be.
func (t *streams) phase() phase {
	for _, ph := range []phase{busy, waiting} {
		if t.phases[ph] > 0 {
			return ph
		}
	}
	return idle
}

// serveStream serves a request over HTTP/2. Several run at a time on a connection: each beyond the first takes a place
// like a connection of its own, and keeps it until the stream is closed, whether its caller reads the answer or not.
func (p *Port) serveStream(w http.ResponseWriter, r *http.Request, c *Conn, next http.Handler) {
	s := &stream{ResponseWriter: w, control: http.NewResponseController(w)}
	s.request.conn, s.request.stream = c, s
	defer p.finish(s)
	if reason := p.begin(s, r); reason != "" {
		if c.spare.Load() {
			w.Header().Set("Connection", "close")
		}
		refuse(w, reason)
		return
	}
	s.serve(r, next)
}

// closeNotifier is http.CloseNotifier, which is deprecated since requests have a context. That of a request over HTTP/2
// ends with its handler; this one tells when the stream is closed.
type closeNotifier interface{ CloseNotify() <-chan bool }

// finish gives the caller time to take the rest of the answer, and its place back once the stream is closed.
func (p *Port) finish(s *stream) {
	p.Bodies.give(&s.request)
	_ = s.control.SetWriteDeadline(time.Now().Add(s.request.sent.left(p))) // an error says that it is closed
	notifier, ok := s.ResponseWriter.(closeNotifier)
	if !ok { // it is not net/http's own
		p.end(s)
		return
	}
	closed := notifier.CloseNotify()
	go func() {
		<-closed
		p.end(s)
	}()
}

func (s *stream) serve(r *http.Request, next http.Handler) {
	if s.request.conn.spare.Load() {
		s.Header().Set("Connection", "close")
	}
	r = r.WithContext(context.WithValue(r.Context(), requestKey{}, &s.request))
	if r.ContentLength != 0 {
		s.request.boundBody(r)
	}
	next.ServeHTTP(s, r)
}

// begin gives s a place and memory for its headers, or returns what it is refused with.
func (p *Port) begin(s *stream, r *http.Request) (reason string) {
	if !p.enter(s, p.Probe(r)) {
		p.refused()
		p.setPhase(&s.request, waiting)
		return tooMany
	}
	if size := headerSize(r); size > freeHeader && !p.Bodies.take(&s.request, size) {
		return noMemory
	}
	return ""
}

// enter counts s, and says whether there is a place for it. A probe needs none.
func (p *Port) enter(s *stream, probe bool) bool {
	now := time.Now()
	c := s.request.conn
	p.mu.Lock()
	defer p.mu.Unlock()
	s.phase = busy
	c.streams.phases[busy]++
	if c.room == nil { // it has been ended
		return false
	}
	c.room.move(c, busy, now)
	switch {
	case probe:
		return true
	case c.spare.Load() && !p.promoteLocked(c, now):
		return false
	}
	if c.streams.counted > 0 {
		if !p.makeRoomLocked(c.address, now) {
			return false
		}
		c.room.widen(c, 1)
	}
	s.counted = true
	c.streams.counted++
	return true
}

// end gives the place of s back.
func (p *Port) end(s *stream) {
	now := time.Now()
	c := s.request.conn
	p.mu.Lock()
	defer p.mu.Unlock()
	c.streams.phases[s.phase]--
	if s.counted {
		c.streams.counted--
	}
	if c.room == nil {
		return
	}
	if c.streams.places > 0 && c.streams.places >= c.streams.counted {
		c.room.widen(c, -1)
	}
	if to := c.streams.phase(); to != c.phase {
		c.room.move(c, to, now)
	}
}

// Write has a time for each part, as that of a Conn has.
func (s *stream) Write(p []byte) (int, error) {
	if len(p) <= Part {
		return s.writePart(p)
	}
	return s.request.writeLong(p, s.cut, s.writePart)
}

func (s *stream) writePart(p []byte) (n int, err error) {
	err = s.timed(func() (int, error) {
		n, err = s.ResponseWriter.Write(p)
		return n, err
	})
	return n, err
}

// FlushError is for http.ResponseController.
func (s *stream) FlushError() error {
	return s.timed(func() (int, error) { return 0, s.control.Flush() })
}

// timed ends the stream when what writes to it takes longer than the caller may let it wait.
func (s *stream) timed(write func() (int, error)) error {
	port := s.request.conn.port
	began := time.Now()
	ended := make(chan struct{})
	late := time.AfterFunc(s.request.sent.left(port), func() { s.cut(); close(ended) })
	n, err := write()
	if !late.Stop() {
		<-ended
	}
	s.request.sent.add(n, time.Since(began), port)
	return err
}

// cut ends the stream at once, and no other of its connection. The handler must not return meanwhile.
func (s *stream) cut() { _ = s.control.SetWriteDeadline(time.Unix(1, 0)) } // an error says that it is closed

// Unwrap is for http.ResponseController.
func (s *stream) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// headerSize is about how much memory the headers of r take, in bytes.
func headerSize(r *http.Request) int {
	size := len(r.RequestURI) + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(value)
		}
	}
	return size
}
