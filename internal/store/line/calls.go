package line

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// Calls has the operations of a store on its Line. A store embeds it. It is safe for concurrent use.
type Calls struct {
	line *Line
	do   Doer
}

// Doer runs an operation of a store unless the store is closed. Its error says the operation that it is of.
type Doer func(ctx context.Context, operation string, what func() error) error

// CallsOf returns the operations on a Line, each of which runs by do.
func CallsOf(line *Line, do Doer) Calls { return Calls{line, do} }

// PutCall adds a call.
func (c Calls) PutCall(ctx context.Context, spec *queue.Spec, limits queue.Limits) (placed queue.Placed, err error) {
	err = c.do(ctx, "put call", func() error {
		placed, err = c.line.Put(ctx, spec, limits)
		return err
	})
	return placed, err
}

// TakeCalls takes calls that are due.
func (c Calls) TakeCalls(
	ctx context.Context, server string, most int, lease time.Duration,
) (taken []*queue.Call, next time.Duration, err error) {
	err = c.do(ctx, "take calls", func() error {
		taken, next, err = c.line.Take(ctx, server, most, lease)
		return err
	})
	return taken, next, err
}

// RenewCalls renews leases.
func (c Calls) RenewCalls(
	ctx context.Context, renewals []queue.Renewal, lease time.Duration,
) (lost []queue.Lease, err error) {
	err = c.do(ctx, "renew calls", func() error {
		lost, err = c.line.Renew(ctx, renewals, lease)
		return err
	})
	return lost, err
}

// SettleCall ends a take.
func (c Calls) SettleCall(ctx context.Context, how *queue.Settlement) (status queue.Status, err error) {
	err = c.do(ctx, "settle call", func() error {
		status, err = c.line.Settle(ctx, how)
		return err
	})
	return status, err
}

// CancelCall cancels a call.
func (c Calls) CancelCall(ctx context.Context, ref function.Ref, id string) error {
	return c.do(ctx, "cancel call", func() error { return c.line.Cancel(ctx, ref, id) })
}

// RedriveCall queues a dead or cancelled call again.
func (c Calls) RedriveCall(ctx context.Context, ref function.Ref, id string) error {
	return c.do(ctx, "redrive call", func() error { return c.line.Redrive(ctx, ref, id) })
}

// GetCall returns the record of a call.
func (c Calls) GetCall(ctx context.Context, ref function.Ref, id string) (found *queue.Call, err error) {
	err = c.do(ctx, "get call", func() error {
		found, err = c.line.Get(ctx, ref, id)
		return err
	})
	return found, err
}

// CallResult returns the answer of a call.
func (c Calls) CallResult(ctx context.Context, ref function.Ref, id string) (result []byte, err error) {
	err = c.do(ctx, "call result", func() error {
		result, err = c.line.Result(ctx, ref, id)
		return err
	})
	return result, err
}

// ListCalls returns a page of the calls of a function.
func (c Calls) ListCalls(ctx context.Context, q *queue.Query) (page queue.Page, err error) {
	err = c.do(ctx, "list calls", func() error {
		page, err = c.line.List(ctx, q)
		return err
	})
	return page, err
}

// CallStats counts all calls.
func (c Calls) CallStats(ctx context.Context) (stats queue.Stats, err error) {
	err = c.do(ctx, "call stats", func() error {
		stats, err = c.line.Stats(ctx)
		return err
	})
	return stats, err
}

// TakeCallbacks takes callbacks that are due.
func (c Calls) TakeCallbacks(
	ctx context.Context, server string, most int, lease time.Duration,
) (taken []*queue.Call, next time.Duration, err error) {
	err = c.do(ctx, "take callbacks", func() error {
		taken, next, err = c.line.TakeCallbacks(ctx, server, most, lease)
		return err
	})
	return taken, next, err
}

// SettleCallback ends a take.
func (c Calls) SettleCallback(ctx context.Context, how *queue.Settlement) (status queue.Status, err error) {
	err = c.do(ctx, "settle callback", func() error {
		status, err = c.line.SettleCallback(ctx, how)
		return err
	})
	return status, err
}

// RedriveCallback queues a dead callback again.
func (c Calls) RedriveCallback(ctx context.Context, ref function.Ref, id string) error {
	return c.do(ctx, "redrive callback", func() error { return c.line.RedriveCallback(ctx, ref, id) })
}

// GetCallback returns the record of a callback.
func (c Calls) GetCallback(ctx context.Context, ref function.Ref, id string) (found *queue.Call, err error) {
	err = c.do(ctx, "get callback", func() error {
		found, err = c.line.GetCallback(ctx, ref, id)
		return err
	})
	return found, err
}

// CallbackStats counts all callbacks.
func (c Calls) CallbackStats(ctx context.Context) (stats queue.Stats, err error) {
	err = c.do(ctx, "callback stats", func() error {
		stats, err = c.line.CallbackStats(ctx)
		return err
	})
	return stats, err
}

// HoldKey has an idempotency key held.
func (c Calls) HoldKey(ctx context.Context, h *queue.Hold, limits queue.Limits) (found queue.Holding, err error) {
	err = c.do(ctx, "hold key", func() error {
		found, err = c.line.Hold(ctx, h, limits)
		return err
	})
	return found, err
}

// RenewKey has a key held for longer.
func (c Calls) RenewKey(ctx context.Context, of queue.HoldOf, lease time.Duration) error {
	return c.do(ctx, "renew key", func() error { return c.line.RenewKey(ctx, of, lease) })
}

// AnswerKey gives a key its answer.
func (c Calls) AnswerKey(
	ctx context.Context, of queue.HoldOf, answer []byte, limits queue.Limits,
) (kept bool, err error) {
	err = c.do(ctx, "answer key", func() error {
		kept, err = c.line.AnswerKey(ctx, of, answer, limits)
		return err
	})
	return kept, err
}

// KeyAnswer returns the answer of a key.
func (c Calls) KeyAnswer(ctx context.Context, of queue.HoldOf) (answer []byte, err error) {
	err = c.do(ctx, "key answer", func() error {
		answer, err = c.line.KeyAnswer(ctx, of)
		return err
	})
	return answer, err
}

// ForgetKey frees a key whose call has ended.
func (c Calls) ForgetKey(ctx context.Context, ref function.Ref, key string) error {
	return c.do(ctx, "forget key", func() error { return c.line.ForgetKey(ctx, ref, key) })
}

// FreeKey lets go of a key.
func (c Calls) FreeKey(ctx context.Context, of queue.HoldOf) error {
	return c.do(ctx, "free key", func() error { return c.line.FreeKey(ctx, of) })
}
