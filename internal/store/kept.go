package store

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store/hook"
)

// Kept keeps the records of calls whose callers have waited for them. They are apart from queued calls: neither takes
// the room of the other.
type Kept interface {
	// AppendKept adds records, and drops those beyond what limits say. Without records it drops alone. A record that is
	// there already stays as it is.
	AppendKept(ctx context.Context, records []*queue.Kept, limits queue.KeptLimits) error
	// GetKept returns the record of a function that has that ID, or the newest one that has it as its request ID, or
	// queue.ErrNotFound.
	GetKept(ctx context.Context, ref function.Ref, id string) (*queue.Kept, error)
	// ListKept returns a page of the records of a function.
	ListKept(ctx context.Context, q *queue.Query) (queue.KeptPage, error)
}

// kept is Kept whose operations call hooks.
type kept struct{ guarded hook.Guarded[Kept] }

func (s kept) AppendKept(ctx context.Context, records []*queue.Kept, limits queue.KeptLimits) error {
	return s.guarded.Do(ctx, write("append kept calls", function.Change{}), func(ctx context.Context, to Kept) error {
		return to.AppendKept(ctx, records, limits)
	})
}

func (s kept) GetKept(ctx context.Context, ref function.Ref, id string) (*queue.Kept, error) {
	return hook.Value(ctx, s.guarded, read("get kept call"), func(ctx context.Context, to Kept) (*queue.Kept, error) {
		return to.GetKept(ctx, ref, id)
	})
}

func (s kept) ListKept(ctx context.Context, q *queue.Query) (queue.KeptPage, error) {
	return hook.Value(ctx, s.guarded, read("list kept calls"), func(ctx context.Context, to Kept) (queue.KeptPage, error) {
		return to.ListKept(ctx, q)
	})
}
