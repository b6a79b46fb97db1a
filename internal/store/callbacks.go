package store

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store/hook"
)

// Callbacks are calls of their own, in a queue beside that of Calls: whatever settles a call with a Callback queues one
// with the same ID, in the same step. Until that is over, the record of the call stays, whatever its time and its room.
// Taking has the operation that takes them.
type Callbacks interface {
	// SettleCallback is SettleCall for callbacks.
	SettleCallback(ctx context.Context, s *queue.Settlement) (queue.Status, error)
	// RedriveCallback queues a dead callback again with all its attempts, or returns queue.ErrNotFound, or
	// queue.ErrNotSettled for one that is not dead.
	RedriveCallback(ctx context.Context, ref function.Ref, id string) error
	// GetCallback returns the record of the callback of a settled call, or queue.ErrNotFound.
	GetCallback(ctx context.Context, ref function.Ref, id string) (*queue.Call, error)
	// CallbackStats counts all callbacks.
	CallbackStats(ctx context.Context) (queue.Stats, error)
}

func (s calls) SettleCallback(ctx context.Context, how *queue.Settlement) (queue.Status, error) {
	op := write("settle callback", function.Change{})
	return hook.Value(ctx, s.guarded, op, func(ctx context.Context, to Calls) (queue.Status, error) {
		return to.SettleCallback(ctx, how)
	})
}

func (s calls) RedriveCallback(ctx context.Context, ref function.Ref, id string) error {
	op := write("redrive callback", function.Change{})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Calls) error { return to.RedriveCallback(ctx, ref, id) })
}

func (s calls) GetCallback(ctx context.Context, ref function.Ref, id string) (*queue.Call, error) {
	return hook.Value(ctx, s.guarded, read("get callback"), func(ctx context.Context, to Calls) (*queue.Call, error) {
		return to.GetCallback(ctx, ref, id)
	})
}

func (s calls) CallbackStats(ctx context.Context) (queue.Stats, error) {
	return hook.Value(ctx, s.guarded, read("callback stats"), func(ctx context.Context, to Calls) (queue.Stats, error) {
		return to.CallbackStats(ctx)
	})
}
