package store

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store/hook"
)

// Calls keeps queued calls. A call that PutCall has accepted stays until it is settled, and is settled once. It may run
// more than once: when its server does not renew its lease, another one takes it. Times are those of the store, so
// that no server's clock matters.
type Calls interface {
	Taking
	// PutCall adds a call, or finds the one that was put with the same idempotency key. It returns queue.ErrFull when it
	// is one too many for its namespace.
	PutCall(ctx context.Context, spec *queue.Spec, limits queue.Limits) (queue.Placed, error)
	// SettleCall ends a take and returns the status that the call has now, or queue.ErrLost.
	SettleCall(ctx context.Context, s *queue.Settlement) (queue.Status, error)
	// CancelCall cancels a call, or returns queue.ErrNotFound, or queue.ErrSettled for one that has succeeded. A running
	// one loses its lease. A dead one is kept as cancelled ones are from then on, and so makes room for others.
	CancelCall(ctx context.Context, ref function.Ref, id string) error
	// RedriveCall queues a dead or cancelled call again with all its attempts, or returns queue.ErrNotFound or
	// queue.ErrNotSettled.
	RedriveCall(ctx context.Context, ref function.Ref, id string) error
	// GetCall returns the record of a call, or queue.ErrNotFound.
	GetCall(ctx context.Context, ref function.Ref, id string) (*queue.Call, error)
	// CallResult returns the answer of a call, or queue.ErrNotFound. Nobody may change it: others may have it, too.
	CallResult(ctx context.Context, ref function.Ref, id string) ([]byte, error)
	// ListCalls returns a page of the calls of a function.
	ListCalls(ctx context.Context, q *queue.Query) (queue.Page, error)
	// CallStats counts all calls.
	CallStats(ctx context.Context) (queue.Stats, error)
	Callbacks
	Holds
}

// Taking is what those who run calls do all the time. It calls no hooks.
type Taking interface {
	// TakeCalls takes calls that are due, at most so many, for a lease: each is of the namespace that has the fewest
	// running, and of those the one that was served longest ago. Next is when there may be more to take; 0 when nobody
	// knows. It gives calls whose lease has run out to their next attempt.
	TakeCalls(
		ctx context.Context, server string, most int, lease time.Duration,
	) (taken []*queue.Call, next time.Duration, err error)
	// RenewCalls makes leases hold for so long from now on. It returns those that are lost.
	RenewCalls(ctx context.Context, renewals []queue.Renewal, lease time.Duration) (lost []queue.Lease, err error)
	// TakeCallbacks is TakeCalls for callbacks. It calls no hooks either.
	TakeCallbacks(
		ctx context.Context, server string, most int, lease time.Duration,
	) (taken []*queue.Call, next time.Duration, err error)
}

// calls are Calls whose operations call hooks, but those of Taking.
type calls struct {
	Taking
	guarded hook.Guarded[Calls]
}

func (s calls) PutCall(ctx context.Context, spec *queue.Spec, limits queue.Limits) (queue.Placed, error) {
	op := write("put call", function.Change{})
	return hook.Value(ctx, s.guarded, op, func(ctx context.Context, to Calls) (queue.Placed, error) {
		return to.PutCall(ctx, spec, limits)
	})
}

func (s calls) SettleCall(ctx context.Context, how *queue.Settlement) (queue.Status, error) {
	op := write("settle call", function.Change{})
	return hook.Value(ctx, s.guarded, op, func(ctx context.Context, to Calls) (queue.Status, error) {
		return to.SettleCall(ctx, how)
	})
}

func (s calls) CancelCall(ctx context.Context, ref function.Ref, id string) error {
	op := write("cancel call", function.Change{})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Calls) error { return to.CancelCall(ctx, ref, id) })
}

func (s calls) RedriveCall(ctx context.Context, ref function.Ref, id string) error {
	op := write("redrive call", function.Change{})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Calls) error { return to.RedriveCall(ctx, ref, id) })
}

func (s calls) GetCall(ctx context.Context, ref function.Ref, id string) (*queue.Call, error) {
	return hook.Value(ctx, s.guarded, read("get call"), func(ctx context.Context, to Calls) (*queue.Call, error) {
		return to.GetCall(ctx, ref, id)
	})
}

func (s calls) CallResult(ctx context.Context, ref function.Ref, id string) ([]byte, error) {
	return hook.Value(ctx, s.guarded, read("call result"), func(ctx context.Context, to Calls) ([]byte, error) {
		return to.CallResult(ctx, ref, id)
	})
}

func (s calls) ListCalls(ctx context.Context, q *queue.Query) (queue.Page, error) {
	return hook.Value(ctx, s.guarded, read("list calls"), func(ctx context.Context, to Calls) (queue.Page, error) {
		return to.ListCalls(ctx, q)
	})
}

func (s calls) CallStats(ctx context.Context) (queue.Stats, error) {
	return hook.Value(ctx, s.guarded, read("call stats"), func(ctx context.Context, to Calls) (queue.Stats, error) {
		return to.CallStats(ctx)
	})
}
