package line

import "github.com/backstage/functions/internal/queue"

// makeRoom drops calls that succeeded or were cancelled until so many more of a namespace fit, which take so many
// bytes. When they cannot, it returns queue.ErrFull or queue.ErrStoreFull.
func (ch *change) makeRoom(ns *namespace, calls int, bytes int64, limits queue.Limits) error {
	if bytes > limits.Bytes { // what never fits takes no other's place
		return queue.ErrFull
	}
	if limits.AllBytes > 0 && bytes > limits.AllBytes {
		return queue.ErrStoreFull
	}
	for ns.calls+calls > limits.Calls || ns.bytes+bytes > limits.Bytes {
		id := ch.oldestOf(ns)
		if id == "" {
			return queue.ErrFull
		}
		ch.drop(id)
	}
	for limits.AllCalls > 0 && len(ch.calls)+calls > limits.AllCalls ||
		limits.AllBytes > 0 && ch.bytes+bytes > limits.AllBytes {
		id := ch.oldestOf(ns)
		if id == "" {
			id = ch.oldestOfAll()
		}
		if id == "" {
			return queue.ErrStoreFull
		}
		ch.drop(id)
	}
	return nil
}

// oldestOf is the call of a namespace that makes room next; empty for none.
func (ch *change) oldestOf(ns *namespace) string {
	if oldest, ok := ns.done.Min(); ok && !oldest.at.After(ch.now) {
		return oldest.id
	}
	return ""
}

// oldestOfAll is the call that makes room next for all namespaces: of those that expire next the first that may.
func (ch *change) oldestOfAll() (id string) {
	looked := 0
	ch.expiring.Scan(func(m moment) bool {
		if c := ch.calls[m.id]; makesRoom(c) && !evictable(c).After(ch.now) {
			id = m.id
		}
		looked++
		return id == "" && looked < maxPurge
	})
	return id
}
