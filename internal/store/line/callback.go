package line

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// inCallbacks has what work on the callbacks instead of the calls. The line must be locked.
func (l *Line) inCallbacks(what func() error) error {
	before := l.order
	l.order = l.ofCallbacks
	defer func() { l.order = before }()
	return what()
}

// onCallbacks says whether the callbacks are worked on.
func (l *Line) onCallbacks() bool { return l.order == l.ofCallbacks }

// leaves says whether a record goes when it has expired. That of a callback goes with its call.
func (l *Line) leaves(c *queue.Call) bool {
	return c.Held || c.Status.Settled() && !c.Stays() && !l.onCallbacks()
}

// makesRoom says whether a record that may leave makes room for others.
func makesRoom(c *queue.Call) bool {
	return !c.Held && c.Status != queue.Dead && c.Callback != queue.Dead
}

// tellEnd queues the callback of a call that was settled just now.
func (ch *change) tellEnd(c *queue.Call) {
	_ = ch.inCallbacks(func() error {
		ch.put(c.Telling(ch.calls[c.ID], ch.now), Change{})
		return nil
	})
}

// told lets the call of a callback leave that is over.
func (ch *change) told(job *queue.Call) {
	if ch.ofCalls.calls[job.ID] == nil {
		return
	}
	ch.order = ch.ofCalls
	c := ch.edit(job.ID)
	c.Callback = job.Status
	keep := c.Keep
	if !makesRoom(c) {
		keep = c.KeepDead
	}
	c.Expires = ch.now.Add(max(keep, 0))
	ch.put(c, Change{})
	ch.order = ch.ofCallbacks
}

// withdraw ends the callback of a call that is queued again. Its number of takes stays: see queue.Call.Telling.
func (ch *change) withdraw(id string) {
	if ch.ofCallbacks.calls[id] == nil {
		return
	}
	_ = ch.inCallbacks(func() error {
		job := ch.edit(id)
		job.Status = queue.Cancelled
		ch.put(job, Change{})
		return nil
	})
}

// changeCallbacks is change for callbacks.
func (l *Line) changeCallbacks(ctx context.Context, what func(*change) error) error {
	return l.change(ctx, func(ch *change) error {
		return ch.inCallbacks(func() error { return what(ch) })
	})
}

// TakeCallbacks takes callbacks: see store.Calls.
func (l *Line) TakeCallbacks(
	ctx context.Context, server string, most int, lease time.Duration,
) (taken []*queue.Call, next time.Duration, err error) {
	err = l.changeCallbacks(ctx, func(ch *change) error {
		taken, next, err = ch.take(server, most, lease)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return taken, next, nil
}

// SettleCallback ends a take: see store.Calls.
func (l *Line) SettleCallback(ctx context.Context, s *queue.Settlement) (status queue.Status, err error) {
	err = l.changeCallbacks(ctx, func(ch *change) error {
		status, err = ch.end(s)
		return err
	})
	return status, err
}

// RedriveCallback queues a dead callback again: see store.Calls.
func (l *Line) RedriveCallback(ctx context.Context, ref function.Ref, id string) error {
	return l.change(ctx, func(ch *change) error {
		old := ch.foundLocked(ref, id)
		if old == nil {
			return queue.ErrNotFound
		}
		if old.Callback != queue.Dead {
			return queue.ErrNotSettled
		}
		c := ch.edit(id)
		c.Callback = queue.Queued
		ch.put(c, Change{})
		return ch.inCallbacks(func() error {
			job := ch.edit(id)
			job.Status, job.Used, job.Reason = queue.Queued, 0, ""
			job.Due, job.Until = ch.now, ch.now.Add(job.MaxAge)
			job.Settled, job.Expires = time.Time{}, time.Time{}
			ch.put(job, Change{})
			return nil
		})
	})
}

// GetCallback returns the record of a callback: see store.Calls.
func (l *Line) GetCallback(ctx context.Context, ref function.Ref, id string) (*queue.Call, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ended(ctx); err != nil {
		return nil, err
	}
	c, job := l.foundLocked(ref, id), l.ofCallbacks.calls[id]
	if c == nil || job == nil || l.expiredLocked(c) || c.Callback == "" {
		return nil, queue.ErrNotFound
	}
	return view(job), nil
}

// CallbackStats counts all callbacks: see store.Calls.
func (l *Line) CallbackStats(ctx context.Context) (s queue.Stats, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ended(ctx); err != nil {
		return s, err
	}
	err = l.inCallbacks(func() error { s = l.statsLocked(); return nil })
	s.Calls, s.Bytes = 0, 0 // they are those of the calls
	return s, err
}
