package sandbox

import "time"

// A call that gives way (Invocation.Background) has a worker that counts for a hundredth of another one, or less, so
// that a call that its caller waits for has a processor as soon as it wants one. The weight is set before the worker
// gets the call, and is whole again before it gets one that does not give way.
//
// Processors that others use all the time would starve it until its deadlines end it. So one that has had less than
// behindPart of a processor counts as any other from then on, until its end.

const (
	// behindPart is, as a divisor, what a call that gives way gets of a processor at least, where one that does not would.
	// Ten times the limit on its time of a processor is the most that a call may last without an answer.
	behindPart = 8
	// behindFor is how long the weigher looks at a call before it judges.
	behindFor = 100 * time.Millisecond
)

// note notes which kind of call w serves from now on.
func (w *slot) note(inv *Invocation) { w.queued, w.behind = inv.Queued != nil, inv.Background }

// class is those workers that share the weight of one: of a group, and those of it whose calls give way by themselves.
type class struct {
	group  string
	behind bool
}

// noteCallLocked notes which call w serves now.
func (s *scale) noteCallLocked(w *slot) {
	if s.waits = w.waiting; s.since == w.since {
		return
	}
	s.since, s.behind = w.since, w.behind
	s.from, s.before = time.Now(), s.used
}

// endStarving has a call that gives way and has got too little of a processor give way no longer.
func (s *scale) endStarving(now time.Time) {
	long := now.Sub(s.from)
	if s.behind && !s.waits && long >= behindFor && (s.used-s.before)*behindPart < long {
		s.behind, s.weight = false, wholeWeight
		s.child.giveWay(false)
	}
}
