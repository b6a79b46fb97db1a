package line

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// Get returns a record: see store.Calls.
func (l *Line) Get(ctx context.Context, ref function.Ref, id string) (*queue.Call, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ended(ctx); err != nil {
		return nil, err
	}
	c := l.foundLocked(ref, id)
	if c == nil || l.expiredLocked(c) {
		return nil, queue.ErrNotFound
	}
	found := view(c)
	found.ResultBytes = l.texts[id].result
	return found, nil
}

// view is a copy of a record, which shares nothing that changes.
func view(c *queue.Call) *queue.Call {
	copied := *c
	copied.History = append([]queue.Attempt(nil), c.History...)
	return &copied
}

func (l *Line) expiredLocked(c *queue.Call) bool {
	return c.Status.Settled() && !c.Stays() && !c.Expires.After(l.now())
}

// Result returns the answer of a call: see store.Calls.
func (l *Line) Result(ctx context.Context, ref function.Ref, id string) ([]byte, error) {
	c, err := l.Get(ctx, ref, id)
	if err != nil {
		return nil, err
	}
	if !c.HasResult {
		return nil, queue.ErrNotFound
	}
	return l.readResult(id)
}

// readResult reads an answer. Nobody waits for that: it may be long.
func (l *Line) readResult(id string) ([]byte, error) {
	result, err := l.keeper.Result(id)
	if err == nil && result == nil { // it went meanwhile
		err = queue.ErrNotFound
	}
	return result, err
}

// List returns a page: see store.Calls.
func (l *Line) List(ctx context.Context, q *queue.Query) (page queue.Page, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ended(ctx); err != nil {
		return page, err
	}
	all := l.functions[q.Ref]
	if all == nil {
		return page, nil
	}
	page.Next, err = q.Walk(all, func(id string) (bool, error) {
		c := l.calls[id]
		if l.expiredLocked(c) || !q.Matches(c) {
			return false, nil
		}
		page.Calls = append(page.Calls, view(c))
		return true, nil
	})
	return page, err
}

// Stats counts all calls: see store.Calls.
func (l *Line) Stats(ctx context.Context) (s queue.Stats, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ended(ctx); err != nil {
		return s, err
	}
	return l.statsLocked(), nil
}

func (l *Line) statsLocked() queue.Stats {
	s := queue.Stats{
		Queued: int64(l.waiting.Len()), Running: int64(l.leases.Len()), Dead: l.dead,
		Calls: int64(l.has.calls), Bytes: l.has.bytes,
	}
	if first, ok := l.waiting.Min(); ok {
		s.Overdue = max(l.now().Sub(first.at), 0)
	}
	return s
}
