package line

import (
	"context"
	"math"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// Settle ends a take: see store.Calls.
func (l *Line) Settle(ctx context.Context, s *queue.Settlement) (status queue.Status, err error) {
	err = l.change(ctx, func(ch *change) error {
		status, err = ch.end(s)
		return err
	})
	return status, err
}

func (ch *change) end(s *queue.Settlement) (queue.Status, error) {
	if !ch.holds(s.Lease) {
		return "", queue.ErrLost
	}
	c := ch.edit(s.ID)
	if len(s.Progress) > 0 {
		c.Progress = append([]byte(nil), s.Progress...)
	}
	switch s.Outcome {
	case queue.Done:
		ch.tell(c, s)
		c.Used++
		ch.settle(c, queue.Succeeded, "", s)
	case queue.Back:
		ch.again(c, s)
	case queue.Next:
		if err := ch.advance(c, s); err != nil {
			return "", err
		}
	default:
		ch.failed(c, s)
	}
	return c.Status, nil
}

// tell adds an attempt to the history of a call. Where there is no room for more, it is the only one.
func (ch *change) tell(c *queue.Call, s *queue.Settlement) {
	more := int64(len(s.Detail))
	ns := ch.namespaceLocked(c.Ref.Namespace)
	if !fitsIn(ns.has.bytes+more, s.Limits.Bytes) || !fitsIn(ch.has.bytes+more, s.Limits.AllBytes) ||
		!ch.leavesRoom(ns, 0, more, s.Limits) {
		c.History = nil
	}
	c.Append(queue.Attempt{Start: c.Taken, End: ch.now, Detail: s.Detail})
}

// fitsIn says whether so many bytes are within a limit, of which 0 is none.
func fitsIn(bytes, limit int64) bool { return limit <= 0 || bytes <= limit }

// advance queues the next step of a pipeline, if there is room for what that gets.
func (ch *change) advance(c *queue.Call, s *queue.Settlement) error {
	if !c.HasNext() {
		return queue.ErrIncomplete
	}
	ch.tell(c, s)
	leaves, had := int64(len(s.Payload)), ch.texts[c.ID].payload
	if c.First == 0 {
		c.First = had
	}
	more := leaves - had
	if more > 0 && leaves-c.First > queue.FreeGrowth && !ch.fitsMore(c.Ref.Namespace, more, true, s.Limits) {
		c.Used++
		ch.settle(c, queue.Dead, queue.ReasonFull, &queue.Settlement{})
		return nil
	}
	c.Step++
	c.Status, c.Used, c.Progress = queue.Queued, 0, nil
	c.Due, c.Until = ch.now, ch.now.Add(c.Current().MaxAge)
	ch.put(c, Change{Payload: append([]byte{}, s.Payload...)})
	return nil
}

// failed ends an attempt that failed.
func (ch *change) failed(c *queue.Call, s *queue.Settlement) {
	ch.tell(c, s)
	c.Used++
	if s.Outcome == queue.Fail || c.Used >= c.Current().Attempts {
		ch.settle(c, queue.Dead, s.Reason, s)
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
		ch.settle(c, queue.Dead, reason, s)
		return
	}
	c.Status, c.Progress = queue.Queued, nil
	ch.put(c, Change{})
}

// settle ends a call with the answer of how, if there is room for it. Its payload stays as long as it may be redriven.
func (ch *change) settle(c *queue.Call, status queue.Status, reason string, how *queue.Settlement) {
	keep := c.Keep
	if status == queue.Dead {
		keep = c.KeepDead
	}
	c.Status, c.Reason, c.Settled = status, reason, ch.now
	c.Expires = ch.now.Add(max(keep, 0))
	with := Change{NoPayload: status == queue.Succeeded}
	switch {
	case len(how.Result) == 0:
		c.Dropped = how.Dropped
	case ch.fits(c, with.NoPayload, how):
		c.HasResult, with.Result = true, append([]byte{}, how.Result...)
	default:
		c.Dropped = int64(len(how.Result))
	}
	tells := c.CallTo.URL != "" && !ch.onCallbacks()
	if tells {
		c.Callback = queue.Queued
	}
	ch.put(c, with)
	switch {
	case tells:
		ch.tellEnd(c)
	case ch.onCallbacks():
		ch.told(c)
	}
}

// fits says whether there is room for the answer of a call, and makes it.
func (ch *change) fits(c *queue.Call, withoutPayload bool, how *queue.Settlement) bool {
	more := int64(len(how.Result))
	if withoutPayload {
		more -= ch.texts[c.ID].payload
	}
	stays := c.Status == queue.Dead || c.CallTo.URL != "" || evictable(c).After(ch.now)
	return ch.fitsMore(c.Ref.Namespace, more, stays, how.Limits)
}

// fitsMore says whether there is room for so many bytes more of a call that is there, and makes it. Stays is as for
// makeRoom. The zero value of limits sets no bound.
func (ch *change) fitsMore(namespace string, bytes int64, stays bool, limits queue.Limits) bool {
	if limits == (queue.Limits{}) {
		return true
	}
	limits.Calls, limits.AllCalls = math.MaxInt, 0 // it is one of them already
	return ch.makeRoom(ch.namespaceLocked(namespace), 0, bytes, stays, limits) == nil
}

// Cancel cancels a call: see store.Calls.
func (l *Line) Cancel(ctx context.Context, ref function.Ref, id string) error {
	return l.change(ctx, func(ch *change) error {
		switch old := ch.foundLocked(ref, id); {
		case old == nil:
			return queue.ErrNotFound
		case old.Status == queue.Cancelled:
			return nil
		case old.Status == queue.Dead:
			ch.giveUp(id)
			return nil
		case old.Status.Settled():
			return queue.ErrSettled
		}
		ch.settle(ch.edit(id), queue.Cancelled, "", &queue.Settlement{})
		return nil
	})
}

// giveUp cancels a dead call: from now on it is kept as other cancelled ones are, and makes room. A callback of it that
// is dead is given up, too; one that waits still tells.
func (ch *change) giveUp(id string) {
	c := ch.edit(id)
	c.Status, c.Reason, c.Expires = queue.Cancelled, "", ch.now.Add(max(c.Keep, 0))
	told := c.Callback != queue.Dead
	if !told {
		c.Callback = ""
	}
	ch.put(c, Change{})
	if !told {
		ch.withdraw(id)
	}
}

// Redrive queues a dead or cancelled call again: see store.Calls.
func (l *Line) Redrive(ctx context.Context, ref function.Ref, id string) error {
	return l.change(ctx, func(ch *change) error {
		old := ch.foundLocked(ref, id)
		if old == nil {
			return queue.ErrNotFound
		}
		if old.Status != queue.Dead && old.Status != queue.Cancelled {
			return queue.ErrNotSettled
		}
		c := ch.edit(id)
		c.Status, c.Used, c.Reason, c.Progress, c.HasResult, c.Dropped = queue.Queued, 0, "", nil, false, 0
		c.Due, c.Until = ch.now, ch.now.Add(c.Current().MaxAge)
		c.Settled, c.Expires, c.Callback = time.Time{}, time.Time{}, ""
		ch.put(c, Change{NoResult: true})
		ch.withdraw(id)
		return nil
	})
}
