package connections

import "net/http"

// Shrink gives back so many bytes of those that Grow has granted for r.
func Shrink(r *http.Request, bytes int) {
	if c, ok := r.Context().Value(connKey{}).(*Conn); ok {
		c.port.Bodies.shrink(c, int64(bytes))
	}
}

// shrink takes back no more than c has: when its connection was closed meanwhile, all has been given back.
func (b *Bodies) shrink(c *Conn, bytes int64) {
	for {
		has := c.memory.Load()
		n := min(bytes, has)
		if n <= 0 {
			return
		}
		if c.memory.CompareAndSwap(has, has-n) {
			b.free(c, n)
			return
		}
	}
}
