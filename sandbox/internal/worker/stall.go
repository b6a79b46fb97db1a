package worker

import (
	"io"
	"sync"
	"time"
)

// A caller that does not read holds the process of its stream in a write. Once it has taken nothing for stallAfter the
// stream is stalled: whoever has sent the call is told, and may end the process for others. After Timeouts.Unread it is
// ended in any case. A caller that reads slowly goes on: what counts is that it takes something.
//
//	write begins        nothing taken for stallAfter         nothing taken for Timeouts.Unread
//	────────────► writing ───────────────────────► stalled ───────────────────────────────────► StreamUnread
//	                 ▲     something was taken        │
//	                 └────────────────────────────────┘

const (
	// stallAfter is for how long the caller takes nothing of a stream that is stalled.
	stallAfter = time.Second
	// stallLooks is how often a write that lasts is looked at in that time.
	stallLooks = 2
)

// takenTeller is a writer that knows what its reader has taken while a write to it lasts.
type takenTeller interface {
	// Taken grows whenever the reader takes something.
	Taken() uint64
}

// cutter is a writer whose writes can be ended.
type cutter interface {
	// Cut has the write in progress fail, and all after it. It does not block.
	Cut()
}

// stall watches the writes of a stream to its caller. The methods begin and end are for the exchange; the timer runs
// beside them.
type stall struct {
	process  *Process
	to       io.Writer
	timeout  time.Duration
	progress Progress      // nil for none
	every    time.Duration // from look to look
	timer    *time.Timer   // set before the first write

	mu      sync.Mutex // guards the fields below
	writing bool
	since   time.Time // the write began, or something was last seen to be taken
	looked  bool      // taken is known
	taken   uint64
	stalled bool
	cut     bool
}

// newStall watches writes to the caller of a call.
func newStall(p *Process, call *Call, to io.Writer, timeout time.Duration) *stall {
	s := &stall{process: p, to: to, timeout: timeout, progress: call.Progress}
	s.every = min(stallAfter, timeout) / stallLooks
	s.timer = time.AfterFunc(time.Hour, s.look)
	s.timer.Stop()
	return s
}

// begin notes that a write begins.
func (s *stall) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing, s.looked, s.since = true, false, time.Now()
	s.timer.Reset(s.every)
}

// end notes that it is over, and says whether the caller was cut off because the process is dead.
func (s *stall) end() (cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = false
	s.timer.Stop()
	s.setStalledLocked(false)
	return s.cut
}

// look is called now and then while a write lasts.
func (s *stall) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.writing || s.cut {
		return
	}
	select {
	case <-s.process.reaped:
		s.cutLocked()
		return
	default:
	}
	s.timer.Reset(s.every)
	if s.movedLocked() {
		s.since = time.Now()
		s.setStalledLocked(false)
		return
	}
	switch waited := time.Since(s.since); {
	case waited >= s.timeout:
		s.process.killAt(StreamUnread, s.since.Add(s.timeout))
	case waited >= stallAfter:
		s.setStalledLocked(true)
	}
}

// movedLocked says whether the caller has taken something since the last look at the same write.
func (s *stall) movedLocked() bool {
	to, ok := s.to.(takenTeller)
	if !ok {
		return false
	}
	taken, known := to.Taken(), s.looked
	moved := known && taken != s.taken
	s.taken, s.looked = taken, true
	return moved
}

func (s *stall) setStalledLocked(stalled bool) {
	if s.stalled != stalled {
		s.stalled = stalled
		if s.progress != nil {
			s.progress.Stalled(stalled)
		}
	}
}

// cutLocked ends the write in progress: what it writes can have no end any more.
func (s *stall) cutLocked() {
	if to, ok := s.to.(cutter); ok {
		s.cut = true
		to.Cut()
	}
}
