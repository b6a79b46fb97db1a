package line

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// A key that is held is kept as a call that is running, and once it is answered as one that has succeeded. It expires
// when its lease has run out, or when the answer is not kept any longer.

// Hold has an idempotency key held: see store.Holds.
func (l *Line) Hold(ctx context.Context, h *queue.Hold, limits queue.Limits) (found queue.Holding, err error) {
	if err := h.Check(); err != nil {
		return found, err
	}
	err = l.change(ctx, func(ch *change) error {
		found, err = ch.hold(h, limits)
		return err
	})
	return found, err
}

func (ch *change) hold(h *queue.Hold, limits queue.Limits) (found queue.Holding, err error) {
	ch.purge()
	ns := ch.namespaceLocked(h.Ref.Namespace)
	if before := ch.calls[ns.keys[h.Key]]; before != nil {
		if before.Expires.After(ch.now) {
			found = queue.Holding{Existing: true, Print: before.Print, Answered: before.Status == queue.Succeeded}
			switch found.Bytes = ch.texts[before.ID].result; {
			case found.Bytes > queue.ShortAnswer:
				found.Of = queue.HoldOf{Ref: before.Ref, ID: before.ID}
			case before.HasResult:
				found.Answer, err = ch.result(before.ID)
			}
			return found, err
		}
		ch.drop(before.ID)
	}
	c := &queue.Call{
		Spec: queue.Spec{
			ID: h.ID, Ref: h.Ref, Key: h.Key, Print: h.Print, KeyFor: h.For, Attempts: 1, MaxAge: h.Lease, Held: true,
		},
		Status: queue.Running, Created: ch.now, Expires: ch.now.Add(h.Lease),
	}
	if err := ch.makeRoom(ns, 1, texts{}.size(c), true, limits); err != nil {
		return found, err
	}
	ch.put(c, Change{})
	return found, nil
}

// editHeld is edit for a key that is held; nil when it is not any more.
func (ch *change) editHeld(of queue.HoldOf) *queue.Call {
	c := ch.calls[of.ID]
	if c == nil || c.Ref != of.Ref || !c.Held || c.Status != queue.Running {
		return nil
	}
	return ch.edit(of.ID)
}

// RenewKey has a key held for longer: see store.Holds.
func (l *Line) RenewKey(ctx context.Context, of queue.HoldOf, lease time.Duration) error {
	return l.change(ctx, func(ch *change) error {
		c := ch.editHeld(of)
		if c == nil {
			return queue.ErrLost
		}
		c.Expires = ch.now.Add(lease)
		ch.put(c, Change{})
		return nil
	})
}

// AnswerKey gives a key its answer: see store.Holds.
func (l *Line) AnswerKey(
	ctx context.Context, of queue.HoldOf, answer []byte, limits queue.Limits,
) (kept bool, err error) {
	err = l.change(ctx, func(ch *change) error {
		kept = false
		c := ch.editHeld(of)
		if c == nil {
			return queue.ErrLost
		}
		with := Change{}
		if len(answer) > 0 && ch.fitsMore(c.Ref.Namespace, int64(len(answer)), true, limits) {
			kept, c.HasResult, with.Result = true, true, append([]byte{}, answer...)
		}
		c.Status, c.Settled, c.Expires = queue.Succeeded, ch.now, ch.now.Add(c.KeyFor)
		ch.put(c, with)
		return nil
	})
	return kept, err
}

// KeyAnswer reads the answer of a key: see store.Holds.
func (l *Line) KeyAnswer(ctx context.Context, of queue.HoldOf) ([]byte, error) {
	if err := l.hasAnswer(ctx, of); err != nil {
		return nil, err
	}
	return l.readResult(of.ID)
}

// hasAnswer returns queue.ErrNotFound for a key that has no answer.
func (l *Line) hasAnswer(ctx context.Context, of queue.HoldOf) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ended(ctx); err != nil {
		return err
	}
	c := l.calls[of.ID]
	if c == nil || c.Ref != of.Ref || !c.Held || !c.HasResult || !c.Expires.After(l.now()) {
		return queue.ErrNotFound
	}
	return nil
}

// FreeKey lets go of a key: see store.Holds.
func (l *Line) FreeKey(ctx context.Context, of queue.HoldOf) error {
	return l.change(ctx, func(ch *change) error {
		if ch.editHeld(of) != nil {
			ch.drop(of.ID)
		}
		return nil
	})
}

// ForgetKey frees a key whose call has ended: see store.Holds.
func (l *Line) ForgetKey(ctx context.Context, ref function.Ref, key string) error {
	return l.change(ctx, func(ch *change) error {
		ns := ch.namespaces[ref.Namespace]
		if ns == nil {
			return queue.ErrNotFound
		}
		c := ch.calls[ns.keys[key]]
		switch {
		case c == nil, c.Ref != ref, !c.Held, !c.Expires.After(ch.now):
			return queue.ErrNotFound
		case c.Status == queue.Running:
			return queue.ErrNotSettled
		}
		ch.drop(c.ID)
		return nil
	})
}
