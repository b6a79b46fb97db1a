package sockets

import (
	"context"
	"time"
)

// sweep looks at all sockets, now and then, for those that have been idle for too long and those whose callers must
// show that they are there.
func (h *Hub) sweep() {
	every := max(min(h.o.Ping, h.o.Idle)/4, 10*time.Millisecond)
	every = min(every, 5*time.Second)
	for wait(h.life, every) {
		now := time.Now()
		for _, s := range h.list() {
			s.look(now)
		}
	}
}

// look ends s if it is idle, and pings its caller when it is time for that.
func (s *Socket) look(now time.Time) {
	s.pings.Store(0)
	if now.Sub(time.Unix(0, s.used.Load())) > s.idle && !s.isBusy() {
		s.end(endIdle)
		return
	}
	if now.Sub(s.asked) < s.hub.o.Ping {
		return
	}
	s.asked = now
	s.mu.Lock()
	over := s.as != nil || s.conn == nil
	s.mu.Unlock()
	if !over {
		s.hub.work.Go(s.ping)
	}
}

// isBusy says whether messages wait for the function, or for the caller.
func (s *Socket) isBusy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calling || s.writing
}

// ping ends s if its caller does not answer in time. An answer may wait behind messages that nobody reads yet.
func (s *Socket) ping() {
	began := time.Now()
	ctx, cancel := context.WithTimeout(s.hub.life, s.hub.o.Ping)
	defer cancel()
	if s.conn.Ping(ctx) == nil || s.hub.life.Err() != nil {
		return
	}
	s.mu.Lock()
	full := s.full
	s.mu.Unlock()
	if !full && s.heard.Load() < began.UnixNano() {
		s.end(endAway)
	}
}
