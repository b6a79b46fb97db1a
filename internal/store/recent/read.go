package recent

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// Get returns a record: see store.Kept.
func (r *Records) Get(ctx context.Context, ref function.Ref, id string) (*queue.Kept, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	e := r.entries[id]
	if e == nil || e.ref != ref {
		id = r.requests[request{ref, id}]
	}
	k, err := r.readLocked(id)
	if err == nil && (k == nil || !k.Expires.After(r.now())) {
		err = queue.ErrNotFound
	}
	return k, err
}

// readLocked returns a record; nil for none.
func (r *Records) readLocked(id string) (*queue.Kept, error) {
	if r.entries[id] == nil {
		return nil, nil
	}
	text, err := r.keeper.Text(id)
	if err != nil || text == nil {
		return nil, err
	}
	return queue.ParseKept(id, text)
}

// List returns a page: see store.Kept.
func (r *Records) List(ctx context.Context, q *queue.Query) (page queue.KeptPage, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil {
		return page, context.Cause(ctx)
	}
	all := r.functions[q.Ref]
	if all == nil {
		return page, nil
	}
	page.Next, err = q.Walk(all, func(id string) (bool, error) {
		if e := r.entries[id]; !q.Selects(e.status, e.reason, e.start) {
			return false, nil
		}
		k, err := r.readLocked(id)
		if k == nil || !k.Expires.After(r.now()) {
			return false, err
		}
		page.Calls = append(page.Calls, k)
		return true, err
	})
	return page, err
}
