package egress

import (
	"context"
	"errors"
	"net"
	"os"
	"time"
)

// place gets c a place for one more connection to the outside: of the call's own, then of those of all. While others
// have them it waits, until the call ends or the worker closes conn, and then it is false. The caller must give it
// back with giveBack.
func (p *Proxy) place(ctx context.Context, c *call, conn *net.UnixConn) bool {
	if c.places.TryAcquire(1) {
		if p.remotes.take(c.owner) {
			return true
		}
		c.places.Release(1)
	}
	if !c.await(1) {
		return false
	}
	defer c.await(-1)
	has, there := whileThere(ctx, conn, func(ctx context.Context) bool { return p.awaitPlace(ctx, c) })
	if has && !there {
		p.giveBack(c)
	}
	return has && there
}

func (p *Proxy) awaitPlace(ctx context.Context, c *call) bool {
	if c.places.Acquire(ctx, 1) != nil {
		return false
	}
	if !p.remotes.wait(ctx, c.owner) {
		c.places.Release(1)
		return false
	}
	return true
}

// giveBack gives back a place.
func (p *Proxy) giveBack(c *call) {
	p.remotes.give(c.owner)
	c.places.Release(1)
}

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
