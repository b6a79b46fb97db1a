package sandbox

import "encoding/json"

// turn is what a child is asked to do for one call.
//
// Waking a process costs more than a short call takes. So a child that becomes free may be given several calls of its function in one
// write, which it serves in order; each caller reads the answer to its own call, in its turn. A call has not begun while the one before it
// has no answer, so when that one ends the child, or has to wait for something, those behind it are served elsewhere.
type turn struct {
	inv    *Invocation
	first  bool            // the call binds the child
	soon   bool            // its answer is worth a busy wait
	missed bool            // the busy wait was not worth it; set by the child
	cache  json.RawMessage // goes with the code
	behind []*Invocation   // the calls that are sent with it
	sent   bool            // the call was sent with one before it
	late   afterwork       // goes on after the answer; set by the child, nil for none
	waits  func()          // is called when main has returned before its answer is there; then none of those behind is served by this child
}

// Bounds on what is sent in one write.
const (
	mostTogether = 16
	// roomTogether bytes fit into every empty pipe, so that the write never waits for the child, which may wait for us to read: two pages are
	// what the kernel gives a user who has used up his share (PIPE_MIN_DEF_BUFFERS, since Linux 5.14).
	roomTogether = 2 * 4096
)

// size is an upper bound of the bytes of the frame of inv.
func (inv *Invocation) size() int {
	const members = 192 // all that every frame has, with an ID
	return members + len(inv.Request.Method) + len(inv.Request.Header) + len(inv.Request.Query) + len(inv.Env) + len(inv.Outgoing) + len(inv.Request.Body)
}

// handTogetherLocked gives w, which has just served last, to the first who waits for its function and, if that is short, sends the calls of
// others along: its share of them.
func (p *Pool) handTogetherLocked(w *slot, last *Invocation) {
	waiting := p.queue.takeKey(w.key)
	if p.paces.short(w.key) && p.cfg.MaxInvocations == 0 && mayShare(last) && mayShare(waiting.turn.inv) {
		share := 1 + p.queue.keys[w.key]/max(p.busy[w.key], 1)
		room := min(roomTogether, p.cfg.Limits.Frame) - waiting.turn.inv.size()
		for len(w.behind)+1 < min(share, mostTogether) {
			next := p.queue.peekKey(waiting.group, w.key)
			if next == nil || next.alone || !mayShare(next.turn.inv) || next.turn.inv.size() > room {
				break
			}
			room -= next.turn.inv.size()
			p.queue.drop(next)
			p.calls.Add(1)
			next.worker, next.start, next.turn.sent = w, StartWarm, true
			w.behind = append(w.behind, next)
			waiting.turn.behind = append(waiting.turn.behind, next.turn.inv)
		}
	}
	p.handLocked(w, waiting, StartWarm)
}

// mayShare says whether inv may be sent together with others.
func mayShare(inv *Invocation) bool { return inv.Kind == Run && inv.MaxInvocations == 0 }

// passLocked gives the turn to the next of those whose calls w was sent, and says whether there is one.
func (p *Pool) passLocked(w *slot) bool {
	if len(w.behind) == 0 {
		return false
	}
	next := w.behind[0]
	w.behind = w.behind[1:]
	close(next.ready)
	return true
}

// scatterLocked has the calls that w was sent and has not begun served elsewhere.
func (p *Pool) scatterLocked(w *slot) {
	for _, next := range w.behind {
		next.notBegun = true
		p.calls.Done()
		close(next.ready)
	}
	w.behind = nil
}

// callWaits notes that the call in progress on w waits for something.
func (p *Pool) callWaits(w *slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scatterLocked(w)
	p.setBusyLocked(w, false) // it leaves the processor to others
	p.setPendingLocked(w)
	if p.queue.len() > 0 {
		p.wakeKeeper()
	}
}
