package sandbox

import "encoding/base64"

// Waking a process costs more than a short call takes. So a child that becomes free may be given several calls of its
// function in one write, which it serves in order; each caller reads the answer to its own call. A call has not begun
// while the one before it has no answer, so when that one ends the child, or has to wait for something, those behind it
// are requeued.

// Bounds on a batch.
const (
	mostBatched = 16
	// batchBytes fit into every empty pipe, so that the write never waits for the child, which may wait for us to read:
	// two pages are what the kernel gives a user who has used up his share (PIPE_MIN_DEF_BUFFERS, since Linux 5.14).
	batchBytes = 2 * 4096
)

// size is an upper bound of the bytes of the frame of inv.
func (inv *Invocation) size() int {
	const members = 192 // all that every frame has, with an ID
	r := &inv.Request
	return members + len(r.Method) + len(r.Header) + len(r.Query) + len(inv.Env) + len(inv.Secrets) + len(inv.Outgoing) +
		len(r.Body) + len(r.HTTP) + len(r.Auth) + base64.StdEncoding.EncodedLen(len(r.Raw))
}

// mayBatch says whether inv may be sent together with others.
func mayBatch(inv *Invocation) bool {
	return inv.Kind == Run && inv.MaxInvocations == 0 && !inv.Rollback
}

// nextInBatchLocked has the next of the calls that w was sent served, and says whether there is one.
func (s *scheduler) nextInBatchLocked(w *slot) bool {
	if len(w.batch) == 0 {
		return false
	}
	next := w.batch[0]
	w.batch = w.batch[1:]
	w.note(next.inv)
	close(next.ready)
	return true
}

// requeueBatchLocked has the calls that w was sent and has not begun served elsewhere.
func (s *scheduler) requeueBatchLocked(w *slot) {
	for _, next := range w.batch {
		next.notBegun = true
		s.calls.Done()
		close(next.ready)
	}
	w.batch = nil
}

// callPending notes that main has returned in w before the answer is there: the call waits for something.
func (s *scheduler) callPending(w *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requeueBatchLocked(w)
	s.setBusyLocked(w, false) // it leaves the processor to others
	s.setPendingLocked(w)
	if s.queue.len() > 0 {
		s.wakeKeeper()
	}
}
