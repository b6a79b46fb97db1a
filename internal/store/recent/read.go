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
	scanned, last := 0, ""
	each := func(id string) bool {
		if id == q.After {
			return true
		}
		if scanned == queue.MaxScan || len(page.Calls) == q.Limit {
			page.Next = last
			return false
		}
		scanned++
		last = id
		if e := r.entries[id]; !q.Selects(e.status, e.reason, e.start) {
			return true
		}
		var k *queue.Kept
		if k, err = r.readLocked(id); k != nil && k.Expires.After(r.now()) {
			page.Calls = append(page.Calls, k)
		}
		return err == nil
	}
	if q.After == "" {
		all.Reverse(each)
	} else {
		all.Descend(q.After, each)
	}
	return page, err
}
