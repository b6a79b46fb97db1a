package line

import "github.com/backstage/functions/internal/queue"

// makeRoom drops calls that succeeded or were cancelled until so many more of a namespace fit, which take so many
// bytes: of that namespace for its own limits, and for those of all of the namespace that has most. When they cannot,
// it returns queue.ErrFull or queue.ErrStoreFull. Stays says that what is new makes no room for others.
func (ch *change) makeRoom(ns *namespace, calls int, bytes int64, stays bool, limits queue.Limits) error {
	if bytes > limits.Bytes { // what never fits takes no other's place
		return queue.ErrFull
	}
	for ns.has.calls+calls > limits.Calls || ns.has.bytes+bytes > limits.Bytes {
		oldest, ok := ns.done.Min()
		if !ok {
			return queue.ErrFull
		}
		ch.drop(oldest.id)
	}
	if stays && !ch.leavesRoom(ns, calls, bytes, limits) {
		return queue.ErrStoreFull
	}
	for {
		by := ch.holders.byCalls
		switch {
		case limits.AllCalls > 0 && ch.has.calls+calls > limits.AllCalls:
		case limits.AllBytes > 0 && ch.has.bytes+bytes > limits.AllBytes:
			by = ch.holders.byBytes
		default:
			return nil
		}
		largest, ok := by.Max()
		if !ok {
			return queue.ErrStoreFull
		}
		oldest, _ := largest.done.Min()
		ch.drop(oldest.id)
	}
}

// leavesRoom says whether a namespace may have so much more that makes no room: see queue.Leaves.
func (ch *change) leavesRoom(ns *namespace, calls int, bytes int64, limits queue.Limits) bool {
	own, all := ns.has.minus(ns.spare), ch.has.minus(ch.spare)
	if own.calls == 0 {
		own.bytes = 0
	}
	return queue.Leaves(int64(own.calls), int64(calls), int64(all.calls), int64(limits.AllCalls)) &&
		queue.Leaves(own.bytes, bytes, all.bytes, limits.AllBytes)
}
