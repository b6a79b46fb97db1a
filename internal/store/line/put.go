package line

import (
	"context"

	"github.com/backstage/functions/internal/queue"
)

// Put adds a call: see store.Calls.
func (l *Line) Put(ctx context.Context, spec *queue.Spec, limits queue.Limits) (placed queue.Placed, err error) {
	if err := spec.Check(); err != nil {
		return placed, err
	}
	err = l.change(ctx, func(ch *change) error {
		placed = queue.Placed{}
		ch.purge()
		ns := ch.namespaceLocked(spec.Ref.Namespace)
		if id, ok := ns.keys[spec.Key]; ok && spec.Key != "" {
			if c := ch.calls[id]; c.Created.Add(c.KeyFor).After(ch.now) {
				placed = queue.Placed{ID: id, Existing: true, Print: c.Print}
				return nil
			}
		}
		c := &queue.Call{
			Spec: *spec, Status: queue.Queued, Created: ch.now, Due: ch.now, Until: ch.now.Add(spec.MaxAge),
		}
		if err := ch.makeRoom(ns, 1, texts{payload: int64(len(spec.Payload))}.size(c), true, limits); err != nil {
			return err
		}
		ch.put(c, Change{Payload: append([]byte{}, spec.Payload...)})
		placed = queue.Placed{ID: spec.ID}
		return nil
	})
	return placed, err
}
