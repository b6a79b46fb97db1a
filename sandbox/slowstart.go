package sandbox

import (
	"errors"
	"time"
)

// A worker that is put back is forked in milliseconds, unless its fork server has died and another one starts, which
// takes seconds. Calls of functions that have no such worker do not wait for that: others serve them, as they do while
// the first fork server starts.

// slowStart is how long the start of such a worker may wait for another fork server until calls are sent away.
const slowStart = 500 * time.Millisecond

// errAway means that a call is to be served by workers of another part.
var errAway = errors.New("sandbox: served elsewhere")

// watchStart sends calls away when a start waits for another fork server, until over is called.
func (s *scheduler) watchStart() (over func()) {
	slow, ended := false, false // guarded by the lock
	timer := time.AfterFunc(slowStart, func() {
		if starter, ok := s.starter.(restarter); !ok || !starter.restarts() {
			return // the machine is slow: others would not be faster
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if !ended {
			slow = true
			s.slowStarts.Add(1)
			s.sendAwayLocked()
		}
	})
	return func() {
		timer.Stop()
		s.mu.Lock()
		defer s.mu.Unlock()
		if ended = true; slow {
			s.slowStarts.Add(-1)
		}
	}
}

// sendAwayLocked has calls that wait, and whose function has no worker, served elsewhere.
func (s *scheduler) sendAwayLocked() {
	var away []*call
	for _, g := range s.queue.groups.members {
		for key, f := range g.functions.members {
			if s.bound[key] == 0 {
				away = append(away, f.calls...)
			}
		}
	}
	for _, c := range away {
		s.queue.drop(c)
		c.away = true
		close(c.ready)
	}
}
