package connections

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// Once a request is refused whose caller may still be sending it, what comes is read and dropped before the connection
// is closed: to close it with bytes unread resets it, and the caller, which writes, would see no answer. The bounds are
// those of nginx's lingering_timeout and lingering_time.
const (
	lingerIdle  = 5 * time.Second  // for the next bytes
	lingerTotal = 30 * time.Second // for all
	// lingerStep is how soon it is seen that the port was closed: nothing is waited for then.
	lingerStep = 250 * time.Millisecond
)

// lingering bounds the time for callers of refused requests.
type lingering struct{ idle, total time.Duration }

// lingerOnce waits for the caller of a refused request, after the answer, to hang up. While it waits its place can be
// taken by others, and its memory is free.
func (c *Conn) lingerOnce() {
	if !c.unread.CompareAndSwap(true, false) || c.port.isClosed() {
		return
	}
	c.port.Bodies.give(&c.request)
	c.port.setPhase(&c.request, waiting)
	if c.closeWrite() != nil { // it is closed
		return
	}
	buffer := lingerBuffers.Get().(*[]byte) //nolint:forcetypeassert // see below
	defer lingerBuffers.Put(buffer)
	until := time.Now().Add(c.port.linger.total)
	for idle := time.Duration(0); idle < c.port.linger.idle && time.Now().Before(until) && !c.port.isClosed(); {
		n, timedOut := c.drop(*buffer)
		switch {
		case n > 0:
			idle = 0
		case timedOut:
			idle += lingerStep
		default:
			return
		}
	}
}

var lingerBuffers = sync.Pool{New: func() any { return new(make([]byte, 32<<10)) }}

// drop reads once, into a buffer that nobody looks at.
func (c *Conn) drop(buffer []byte) (n int, timedOut bool) {
	if c.raw.SetReadDeadline(time.Now().Add(lingerStep)) != nil {
		return 0, false
	}
	n, err := io.ReadAtLeast(c.raw, buffer, 1)
	return n, errors.Is(err, os.ErrDeadlineExceeded)
}
