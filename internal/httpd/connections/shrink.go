package connections

import "net/http"

// Shrink gives back so many bytes of those that Grow has granted for r.
func Shrink(r *http.Request, bytes int) {
	if q := requestOf(r); q != nil {
		q.conn.port.Bodies.shrink(q, int64(bytes))
	}
}

// shrink takes back no more than q has: when its connection was closed meanwhile, all has been given back.
func (b *Bodies) shrink(q *request, bytes int64) {
	for {
		has := q.memory.Load()
		n := min(bytes, has)
		if n <= 0 {
			return
		}
		if q.memory.CompareAndSwap(has, has-n) {
			b.free(q, n)
			return
		}
	}
}
