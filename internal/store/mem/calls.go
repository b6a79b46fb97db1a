package mem

import (
	"context"
	"fmt"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// PutCall adds a call.
func (s *Store) PutCall(ctx context.Context, spec *queue.Spec, limits queue.Limits) (placed queue.Placed, err error) {
	err = s.onLine(ctx, "put call", func() error {
		placed, err = s.line.Put(ctx, spec, limits)
		return err
	})
	return placed, err
}

// TakeCalls takes calls that are due.
func (s *Store) TakeCalls(
	ctx context.Context, server string, most int, lease time.Duration,
) (taken []*queue.Call, next time.Duration, err error) {
	err = s.onLine(ctx, "take calls", func() error {
		taken, next, err = s.line.Take(ctx, server, most, lease)
		return err
	})
	return taken, next, err
}

// RenewCalls renews leases.
func (s *Store) RenewCalls(
	ctx context.Context, renewals []queue.Renewal, lease time.Duration,
) (lost []queue.Lease, err error) {
	err = s.onLine(ctx, "renew calls", func() error {
		lost, err = s.line.Renew(ctx, renewals, lease)
		return err
	})
	return lost, err
}

// SettleCall ends a take.
func (s *Store) SettleCall(ctx context.Context, how *queue.Settlement) (status queue.Status, err error) {
	err = s.onLine(ctx, "settle call", func() error {
		status, err = s.line.Settle(ctx, how)
		return err
	})
	return status, err
}

// CancelCall cancels a call.
func (s *Store) CancelCall(ctx context.Context, ref function.Ref, id string) error {
	return s.onLine(ctx, "cancel call", func() error { return s.line.Cancel(ctx, ref, id) })
}

// RedriveCall queues a dead or cancelled call again.
func (s *Store) RedriveCall(ctx context.Context, ref function.Ref, id string) error {
	return s.onLine(ctx, "redrive call", func() error { return s.line.Redrive(ctx, ref, id) })
}

// GetCall returns the record of a call.
func (s *Store) GetCall(ctx context.Context, ref function.Ref, id string) (c *queue.Call, err error) {
	err = s.onLine(ctx, "get call", func() error {
		c, err = s.line.Get(ctx, ref, id)
		return err
	})
	return c, err
}

// CallResult returns the answer of a call.
func (s *Store) CallResult(ctx context.Context, ref function.Ref, id string) (result []byte, err error) {
	err = s.onLine(ctx, "call result", func() error {
		result, err = s.line.Result(ctx, ref, id)
		return err
	})
	return result, err
}

// ListCalls returns a page of the calls of a function.
func (s *Store) ListCalls(ctx context.Context, q *queue.Query) (page queue.Page, err error) {
	err = s.onLine(ctx, "list calls", func() error {
		page, err = s.line.List(ctx, q)
		return err
	})
	return page, err
}

// CallStats counts all calls.
func (s *Store) CallStats(ctx context.Context) (stats queue.Stats, err error) {
	err = s.onLine(ctx, "call stats", func() error {
		stats, err = s.line.Stats(ctx)
		return err
	})
	return stats, err
}

// onLine runs what, which locks the queue itself, unless the store is closed. Its errors begin with the name of the
// operation.
func (s *Store) onLine(ctx context.Context, operation string, what func() error) error {
	s.mu.RLock()
	err := s.usableLocked(ctx)
	s.mu.RUnlock()
	if err == nil {
		err = what()
	}
	if err != nil {
		return fmt.Errorf("memory: %s: %w", operation, err)
	}
	return nil
}
