package sandbox

import "time"

// slot is the place of a child in the pool. Its fields are guarded by the scheduler's lock.
type slot struct {
	child
	key      string  // what it is bound to; empty while prewarmed
	group    string  // whose key that is
	batch    []*call // those whose calls were sent together with the one in progress
	calls    int
	bound    time.Time
	lastUsed time.Time     // or has been stalled since
	busy     bool          // serves a call and may be computing
	serving  bool          // serves a call
	queued   bool          // which is a queued one (Invocation.Queued)
	behind   bool          // which gives way to others (Invocation.Background)
	since    time.Time     // it serves one
	pending  bool          // the call's main has returned and the answer is to come
	waiting  bool          // the call waits for something, so that it does not count as active
	seen     time.Duration // what its clock said at the last look at a call that is pending
	lookAt   time.Time     // whether that waits is not worth a look before then
	putBack  bool          // has answered, and counts as serving while it is put back
	late     bool          // is at work after an answer
	computes bool          // and uses a processor for that, so that it counts as active
	stalled  bool          // its caller takes nothing of its streamed answer
	ended    bool          // killed for the memory that its call uses
	retired  bool          // killed by us, waiting to be reaped
}
