package connections

import "net/http"

// Taken is a connection that was taken over from net/http: it is no caller's of HTTP any more, and has no place.
type Taken struct{ q *request }

// Hijacked takes note that the connection of r was hijacked, and gives its place to others. The memory of r is given
// back; what the connection takes from now on is asked for by Grow, and given back when it is closed.
func Hijacked(r *http.Request) *Taken {
	q := requestOf(r)
	if q != nil {
		q.conn.port.leave(q.conn)
		q.conn.port.Bodies.give(q)
	}
	return &Taken{q}
}

// Grow asks for so many bytes of memory, and says whether they may be used.
func (t *Taken) Grow(bytes int) bool { return t.q == nil || t.q.conn.port.Bodies.take(t.q, bytes) }

// Shrink gives so many of them back.
func (t *Taken) Shrink(bytes int) {
	if t.q != nil {
		t.q.conn.port.Bodies.shrink(t.q, int64(bytes))
	}
}

// Linger has the end of the connection wait until its caller hangs up, within the bounds for those of refused requests.
func (t *Taken) Linger() {
	if t.q != nil {
		t.q.conn.unread.Store(true)
	}
}

// Cut ends the connection at once. It does not block.
func (t *Taken) Cut() {
	if t.q != nil {
		t.q.conn.cut()
	}
}
