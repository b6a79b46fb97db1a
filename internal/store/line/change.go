package line

import (
	"time"

	"github.com/backstage/functions/internal/queue"
)

// change is what a batch of operations changes. Each change has its way back.
type change struct {
	*Line
	now     time.Time
	changes []Change
	undo    []func() // one for each of changes
}

// sweepLocked forgets namespaces without calls.
func (l *Line) sweepLocked() {
	for _, o := range [...]*order{l.ofCalls, l.ofCallbacks} {
		for _, name := range o.emptied {
			if ns := o.namespaces[name]; ns != nil && ns.has.calls == 0 {
				delete(o.namespaces, name)
			}
		}
		o.emptied = o.emptied[:0]
	}
}

// put writes a call as it is now. Its texts change as with says.
func (ch *change) put(c *queue.Call, with Change) {
	old, before := ch.calls[c.ID], ch.texts[c.ID]
	if old != nil {
		ch.removeLocked(c.ID)
	}
	after := before
	if with.Payload != nil || with.NoPayload {
		after.payload = int64(len(with.Payload))
	}
	if with.Result != nil || with.NoResult {
		after.result = int64(len(with.Result))
	}
	c.Payload = nil
	ch.addLocked(c, after)
	with.ID, with.Call = c.ID, c
	ch.record(with, func() {
		ch.removeLocked(c.ID)
		if old != nil {
			ch.addLocked(old, before)
		}
	})
}

// record notes a change, and how it is undone.
func (ch *change) record(what Change, undo func()) {
	of := ch.order
	what.OfCallback = ch.onCallbacks()
	ch.changes = append(ch.changes, what)
	ch.undo = append(ch.undo, func() {
		now := ch.order
		ch.order = of
		undo()
		ch.order = now
	})
}

// drop removes a call.
func (ch *change) drop(id string) {
	old, before := ch.calls[id], ch.texts[id]
	ch.removeLocked(id)
	ch.record(Change{ID: id, NoPayload: true, NoResult: true}, func() { ch.addLocked(old, before) })
	if !ch.onCallbacks() && ch.ofCallbacks.calls[id] != nil {
		_ = ch.inCallbacks(func() error { ch.drop(id); return nil })
	}
}

// edit returns a copy of a call to be changed and put.
func (ch *change) edit(id string) *queue.Call {
	c := *ch.calls[id]
	c.History = append([]queue.Attempt(nil), c.History...)
	return &c
}

// purge drops a few records that have expired.
func (ch *change) purge() {
	for range maxPurge {
		first, ok := ch.expiring.Min()
		if !ok || first.at.After(ch.now) {
			return
		}
		ch.drop(first.id)
	}
}

// maxPurge is how many records an operation drops at most, and how many lost leases it ends.
const maxPurge = 100
