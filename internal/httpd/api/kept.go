package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/backstage/functions/internal/calls"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox/rawjson"
)

// Kept has the records of calls whose callers have waited for them. It must be safe for concurrent use. Its errors are
// or wrap those of package queue and function.ErrUnavailable.
type Kept interface {
	// GetKept returns the record with that ID, or the newest one of the request with that ID.
	GetKept(ctx context.Context, ref function.Ref, id string) (*queue.Kept, error)
	ListKept(ctx context.Context, q *queue.Query) (queue.KeptPage, error)
}

// findKept returns the record of a call whose caller has waited, if there is one that the caller of r may see, as they
// may see it. Who may run the function alone learns nothing: request IDs are chosen by callers, and can be guessed.
func (s *server) findKept(r *http.Request, ref function.Ref, id string) (k *queue.Kept, err error) {
	sees, all := s.seesKept(r, ref.Namespace)
	if s.Kept == nil || !sees {
		return nil, queue.ErrNotFound
	}
	if k, err = s.Kept.GetKept(r.Context(), ref, id); err == nil && !all {
		k.Output = nil
	}
	return k, err
}

// seesKept says whether the caller of r sees records of calls whose callers have waited, and all of them: what a
// function has printed is for those who may read its output.
func (s *server) seesKept(r *http.Request, namespace string) (sees, all bool) {
	if s.Auth != AuthOn {
		sees = contextOf(r.Context()).port == apiPort
		return sees, sees
	}
	by := holderOf(r)
	return by.May(identity.Invoke, namespace), by.May(identity.Deploy, namespace)
}

// orKept is err, or instead where err says that there is no such call and there is the record of one whose caller has
// waited.
func (s *server) orKept(r *http.Request, ref function.Ref, id string, err, instead error) error {
	if !errors.Is(err, queue.ErrNotFound) {
		return err
	}
	if _, missing := s.findKept(r, ref, id); missing == nil {
		return instead
	}
	return err
}

// keptJSON is a record as callers see it: that of a queued call with one attempt, which tells more.
func keptJSON(k *queue.Kept) []byte {
	o := rawjson.NewObject(make([]byte, 0, 1024))
	o.String("id", k.ID)
	o.String("namespace", k.Ref.Namespace)
	o.String("function", k.Ref.ID)
	o.String("kind", string(k.Kind))
	if k.Step > 0 {
		o.Int("step", int64(k.Step))
	}
	o.String("status", string(k.Status))
	addText(&o, "reason", k.Reason)
	addTime(&o, "created", k.Start)
	addTime(&o, "settled", k.End)
	addTime(&o, "expires", k.Expires)
	addText(&o, "caller", k.Caller)
	addText(&o, "requestID", k.RequestID)
	addText(&o, "traceID", k.TraceID)
	o.Int("maxAttempts", 1)
	o.Raw("attempts", historyJSON([]queue.Attempt{{Start: k.Start, End: k.End, Detail: k.Detail}}))
	if len(k.Output) > 0 {
		o.Raw("output", k.Output)
	}
	return o.End()
}

// listItem is a record of a list.
type listItem struct {
	id   string
	text []byte
}

// listAll returns records of both kinds, the newest first, and where the list goes on.
func (s *server) listAll(r *http.Request, q *queue.Query) (items []listItem, next string, err error) {
	of, err := s.Calls.List(r.Context(), q)
	if err != nil {
		return nil, "", err
	}
	for _, c := range of.Calls {
		if s.mayList(r, c) {
			items = append(items, listItem{c.ID, callJSON(c)})
		}
	}
	if s.Kept == nil || q.Callback != "" {
		return items, of.Next, nil
	}
	kept, err := s.Kept.ListKept(r.Context(), q)
	if err != nil {
		return nil, "", err
	}
	for _, k := range kept.Calls {
		items = append(items, listItem{k.ID, keptJSON(k)})
	}
	slices.SortFunc(items, func(a, b listItem) int { return compareNewest(a.id, b.id) })
	// What is behind the end of either page is not known.
	next = max(of.Next, kept.Next)
	items = slices.DeleteFunc(items, func(item listItem) bool { return item.id < next })
	if len(items) > q.Limit {
		items = items[:q.Limit]
		next = items[q.Limit-1].id
	}
	return items, next, nil
}

// compareNewest orders IDs by time, the newest first.
func compareNewest(a, b string) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

// noCalls are Calls of a server that queues none.
type noCalls struct{}

func (noCalls) Put(context.Context, *queue.Spec) (queue.Placed, error) {
	return queue.Placed{}, queue.ErrNotFound
}

func (noCalls) Get(context.Context, function.Ref, string) (*queue.Call, error) {
	return nil, queue.ErrNotFound
}

func (noCalls) Await(context.Context, function.Ref, string, time.Duration) (*queue.Call, error) {
	return nil, queue.ErrNotFound
}

func (noCalls) Watch(
	context.Context, function.Ref, string, func(*queue.Call) error, func() error, time.Duration,
) error {
	return queue.ErrNotFound
}

func (noCalls) Result(context.Context, function.Ref, string) (*calls.Answer, error) {
	return nil, queue.ErrNotFound
}

func (noCalls) List(context.Context, *queue.Query) (page queue.Page, err error) { return page, nil }

func (noCalls) ForgetKey(context.Context, function.Ref, string) error { return queue.ErrNotFound }
func (noCalls) Cancel(context.Context, function.Ref, string) error    { return queue.ErrNotFound }

func (noCalls) Redrive(context.Context, function.Ref, string) error { return queue.ErrNotFound }

func (noCalls) Callback(context.Context, function.Ref, string) (*queue.Call, error) {
	return nil, queue.ErrNotFound
}

func (noCalls) RedriveCallback(context.Context, function.Ref, string) error { return queue.ErrNotFound }

func (noCalls) Hold(context.Context, *queue.Hold, bool) (*calls.Held, *calls.Kept, error) {
	return nil, nil, queue.ErrNotFound
}
