package connections

import (
	"net"
	"net/http"
)

// unsentLimit is about how many bytes of a streamed answer wait in the kernel for a caller whose window is full. With
// what the kernel takes by itself, megabytes, a caller that reads slowly would look for a minute as if it did not read.
const unsentLimit = 128 << 10

// BeginStream notes that the answer to r is a stream.
func BeginStream(r *http.Request) {
	if q := requestOf(r); q != nil {
		limitUnsent(innermost(q.conn.raw), unsentLimit)
	}
}

// TakenBy is a number that grows whenever the caller of r takes something, as far as that can be seen: over HTTP/2,
// where a connection has several requests, it stays as it is. It may be called while the answer is written.
func TakenBy(r *http.Request) uint64 {
	q := requestOf(r)
	if q == nil || q.stream != nil {
		return 0
	}
	return acknowledged(innermost(q.conn.raw))
}

// Cut ends the answer to r at once, and with HTTP/1.1 its connection. It does not block. It may be called while the
// answer is written, not after its handler has returned.
func Cut(r *http.Request) {
	switch q := requestOf(r); {
	case q == nil:
	case q.stream != nil:
		q.stream.cut()
	default:
		q.conn.cut()
	}
}

// innermost is the connection of the kernel's.
func innermost(conn net.Conn) net.Conn {
	for {
		around, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return conn
		}
		conn = around.NetConn()
	}
}
