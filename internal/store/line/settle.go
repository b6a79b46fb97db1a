package line

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// Settle ends a take: see store.Calls.
func (l *Line) Settle(ctx context.Context, s *queue.Settlement) (status queue.Status, err error) {
	err = l.change(ctx, func(ch *change) error {
		if !ch.holds(s.Lease) {
			return queue.ErrLost
		}
		c := ch.edit(s.ID)
		switch s.Outcome {
		case queue.Done:
			c.Append(queue.Attempt{Start: c.Taken, End: ch.now, Detail: s.Detail})
			c.Used++
			ch.settle(c, queue.Succeeded, "", s.Result)
		case queue.Back:
			ch.again(c, s)
		default:
			ch.failed(c, s)
		}
		status = c.Status
		return nil
	})
	return status, err
}

// failed ends an attempt that failed.
func (ch *change) failed(c *queue.Call, s *queue.Settlement) {
	c.Append(queue.Attempt{Start: c.Taken, End: ch.now, Detail: s.Detail})
	c.Used++
	if s.Outcome == queue.Fail || c.Used >= c.Spec.Attempts {
		ch.settle(c, queue.Dead, s.Reason, s.Result)
		return
	}
	ch.again(c, s)
}

// again queues a call that was taken, unless it would be too old.
func (ch *change) again(c *queue.Call, s *queue.Settlement) {
	c.Due = ch.now.Add(s.Delay)
	if c.Due.After(c.Until) {
		reason := s.Reason
		if s.Outcome == queue.Back {
			reason = queue.ReasonMaxAge
		}
		ch.settle(c, queue.Dead, reason, s.Result)
		return
	}
	c.Status, c.Progress = queue.Queued, nil
	ch.put(c, Change{})
}

// settle ends a call. Its payload stays as long as it may be redriven.
func (ch *change) settle(c *queue.Call, status queue.Status, reason string, result []byte) {
	keep := c.Keep
	if status == queue.Dead {
		keep = c.KeepDead
	}
	c.Status, c.Reason, c.Settled = status, reason, ch.now
	c.Expires = ch.now.Add(max(keep, 0))
	with := Change{NoPayload: status == queue.Succeeded}
	if len(result) > 0 {
		c.HasResult, with.Result = true, append([]byte{}, result...)
	}
	ch.put(c, with)
}

// Cancel cancels a call: see store.Calls.
func (l *Line) Cancel(ctx context.Context, ref function.Ref, id string) error {
	return l.change(ctx, func(ch *change) error {
		switch old := ch.calls[id]; {
		case old == nil || old.Ref != ref:
			return queue.ErrNotFound
		case old.Status == queue.Cancelled:
			return nil
		case old.Status.Settled():
			return queue.ErrSettled
		}
		ch.settle(ch.edit(id), queue.Cancelled, "", nil)
		return nil
	})
}

// Redrive queues a dead or cancelled call again: see store.Calls.
func (l *Line) Redrive(ctx context.Context, ref function.Ref, id string) error {
	return l.change(ctx, func(ch *change) error {
		old := ch.calls[id]
		if old == nil || old.Ref != ref {
			return queue.ErrNotFound
		}
		if old.Status != queue.Dead && old.Status != queue.Cancelled {
			return queue.ErrNotSettled
		}
		c := ch.edit(id)
		c.Status, c.Used, c.Reason, c.Progress, c.HasResult = queue.Queued, 0, "", nil, false
		c.Due, c.Until = ch.now, ch.now.Add(c.MaxAge)
		c.Settled, c.Expires = time.Time{}, time.Time{}
		ch.put(c, Change{NoResult: true})
		return nil
	})
}
