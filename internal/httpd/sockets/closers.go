package sockets

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

const (
	// mostClosers is how many calls for events "close" may run at a time: many sockets may end at once.
	mostClosers = 32
	// mostClosersOfOwner is how many of them may be calls of one owner.
	mostClosersOfOwner = 8
)

// closers limit the calls for events "close". Who waits for one of all has one of its owner already: so an owner has at
// most mostClosersOfOwner in that queue, and others come next. It is safe for concurrent use.
type closers struct {
	all *semaphore.Weighted

	mu     sync.Mutex // guards the fields below
	owners map[string]*closersOfOwner
}

type closersOfOwner struct {
	free  *semaphore.Weighted
	users int // that have one or wait; the last one removes it
}

func newClosers() *closers {
	return &closers{all: semaphore.NewWeighted(mostClosers), owners: map[string]*closersOfOwner{}}
}

// acquire waits until a call of owner may run, and returns what is called after it. The error is that of ctx.
func (c *closers) acquire(ctx context.Context, owner string) (release func(), err error) {
	own := c.enter(owner)
	if err := own.free.Acquire(ctx, 1); err != nil {
		c.leave(owner)
		return nil, err
	}
	leave := func() {
		own.free.Release(1)
		c.leave(owner)
	}
	if err := c.all.Acquire(ctx, 1); err != nil {
		leave()
		return nil, err
	}
	return func() {
		c.all.Release(1)
		leave()
	}, nil
}

// enter returns the closers of owner, which stay until leave was called as often.
func (c *closers) enter(owner string) *closersOfOwner {
	c.mu.Lock()
	defer c.mu.Unlock()
	own := c.owners[owner]
	if own == nil {
		own = &closersOfOwner{free: semaphore.NewWeighted(mostClosersOfOwner)}
		c.owners[owner] = own
	}
	own.users++
	return own
}

func (c *closers) leave(owner string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	own := c.owners[owner]
	if own.users--; own.users == 0 {
		delete(c.owners, owner)
	}
}
