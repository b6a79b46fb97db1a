package egress

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"golang.org/x/sync/semaphore"
)

// slots limit how many of one kind of thing, such as connections, are in use at a time: by one call, and by all calls.
type slots struct {
	own  *semaphore.Weighted
	all  *shares
	told string // the line for a worker that has to wait, if there is one
}

// try takes one if there is one at once.
func (s slots) try(owner string) bool {
	if !s.own.TryAcquire(1) {
		return false
	}
	if s.all.take(owner) {
		return true
	}
	s.own.Release(1)
	return false
}

// wait takes one, at most until ctx ends, and then it is false.
func (s slots) wait(ctx context.Context, owner string) bool {
	if s.own.Acquire(ctx, 1) != nil {
		return false
	}
	if s.all.wait(ctx, owner) {
		return true
	}
	s.own.Release(1)
	return false
}

// give gives one back.
func (s slots) give(owner string) {
	s.all.give(owner)
	s.own.Release(1)
}

// enter gets c one of the slots. While others have them it waits, after it has told the worker so, until the call ends
// or the worker closes conn, and then it is false. The caller must give it back.
func (p *Proxy) enter(ctx context.Context, c *call, conn *net.UnixConn, from slots) bool {
	if from.try(c.owner) {
		return true
	}
	if !c.await(1) {
		return false
	}
	defer c.await(-1)
	if from.told != "" {
		writeLine(conn, from.told)
	}
	has, there := whileThere(ctx, conn, func(ctx context.Context) bool { return from.wait(ctx, c.owner) })
	if has && (!there || c.over()) { // what ends with the call gives its place to those who end with it
		from.give(c.owner)
		if there {
			<-ctx.Done() // conn is closed by then: nobody is told what nobody waits for
		}
		return false
	}
	return has
}

// connections are the slots for connections to the outside.
func (p *Proxy) connections(c *call) slots { return slots{c.slots, p.remotes, waitingLine} }

// whileThere calls wait with a context that ends with ctx, and when the worker closes conn. Nothing may come on conn
// meanwhile: there says that nothing did.
func whileThere(ctx context.Context, conn *net.UnixConn, wait func(context.Context) bool) (done, there bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	read := make(chan error, 1)
	go func() {
		_, err := conn.Read(make([]byte, 1))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			cancel()
		}
		read <- err
	}()
	done = wait(ctx)
	_ = conn.SetReadDeadline(time.Unix(1, 0)) // ends the read; on a connection that is closed it has ended
	there = errors.Is(<-read, os.ErrDeadlineExceeded)
	return done, there && conn.SetReadDeadline(time.Time{}) == nil
}

// over says whether the call has ended.
func (c *call) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// await counts one more of the call that waits (1), or one less (-1). False says that the call has ended.
func (c *call) await(change int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.waiting += change
	return true
}
