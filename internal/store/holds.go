package store

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store/hook"
)

// Holds keeps the idempotency keys of calls whose callers wait: see queue.Hold. They count for the limits of Calls, and
// are found by their keys alone: there is no record of such a call among those of Calls.
type Holds interface {
	// HoldKey has a key held, or finds whose it is. It returns queue.ErrFull or queue.ErrStoreFull when that is one too
	// many. Of an answer that is longer than queue.ShortAnswer it says how long it is.
	HoldKey(ctx context.Context, h *queue.Hold, limits queue.Limits) (queue.Holding, error)
	// RenewKey has a key held for so long from now on, or returns queue.ErrLost.
	RenewKey(ctx context.Context, of queue.HoldOf, lease time.Duration) error
	// AnswerKey ends holding with an answer; empty for one that is not to be kept. Kept says whether it is: an answer for
	// which there is no room within limits is not. The error is queue.ErrLost for a key that is not held any more.
	AnswerKey(ctx context.Context, of queue.HoldOf, answer []byte, limits queue.Limits) (kept bool, err error)
	// KeyAnswer returns the answer of a key that HoldKey has found, or queue.ErrNotFound. Nobody may change it.
	KeyAnswer(ctx context.Context, of queue.HoldOf) ([]byte, error)
	// FreeKey ends holding as if there had been no call. It does nothing to a key that is not held any more.
	FreeKey(ctx context.Context, of queue.HoldOf) error
	// ForgetKey frees a key of a function whose call has ended, with its answer. It returns queue.ErrNotFound when there
	// is none, and queue.ErrNotSettled for one that is held.
	ForgetKey(ctx context.Context, ref function.Ref, key string) error
}

func (s calls) HoldKey(ctx context.Context, h *queue.Hold, limits queue.Limits) (queue.Holding, error) {
	op := write("hold key", function.Change{})
	return hook.Value(ctx, s.guarded, op, func(ctx context.Context, to Calls) (queue.Holding, error) {
		return to.HoldKey(ctx, h, limits)
	})
}

func (s calls) RenewKey(ctx context.Context, of queue.HoldOf, lease time.Duration) error {
	op := write("renew key", function.Change{})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Calls) error { return to.RenewKey(ctx, of, lease) })
}

func (s calls) AnswerKey(
	ctx context.Context, of queue.HoldOf, answer []byte, limits queue.Limits,
) (kept bool, err error) {
	op := write("answer key", function.Change{})
	return hook.Value(ctx, s.guarded, op, func(ctx context.Context, to Calls) (bool, error) {
		return to.AnswerKey(ctx, of, answer, limits)
	})
}

func (s calls) KeyAnswer(ctx context.Context, of queue.HoldOf) ([]byte, error) {
	return hook.Value(ctx, s.guarded, read("key answer"), func(ctx context.Context, to Calls) ([]byte, error) {
		return to.KeyAnswer(ctx, of)
	})
}

func (s calls) ForgetKey(ctx context.Context, ref function.Ref, key string) error {
	op := write("forget key", function.Change{})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Calls) error { return to.ForgetKey(ctx, ref, key) })
}

func (s calls) FreeKey(ctx context.Context, of queue.HoldOf) error {
	op := write("free key", function.Change{})
	return s.guarded.Do(ctx, op, func(ctx context.Context, to Calls) error { return to.FreeKey(ctx, of) })
}
