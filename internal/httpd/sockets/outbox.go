package sockets

import (
	"context"
	"sync/atomic"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// mostUnsent is how many messages may wait for one caller to take them. Their bytes may be as many as those of two of
// the longest.
const mostUnsent = 64

// Message is one to be sent, to one socket or to several. Use NewMessage.
type Message struct {
	data   []byte
	binary bool
	hub    *Hub
	users  atomic.Int32 // that have not sent it yet
}

// NewMessage returns a message of data, which must not change any more. Binary says that it is not text.
func NewMessage(data []byte, binary bool) *Message { return &Message{data: data, binary: binary} }

// enter counts the memory of m as long as somebody uses it, and makes the caller of enter one who does. Its error says
// why m cannot be sent.
func (h *Hub) enter(m *Message) error {
	switch {
	case len(m.data) > h.o.Message:
		return ErrTooLong
	case !m.binary && !utf8.Valid(m.data):
		return ErrText
	}
	size := int64(len(m.data))
	if h.waiting.Add(size) > h.o.Memory {
		h.waiting.Add(-size)
		h.counts.dropped.Add(1)
		return ErrMemory
	}
	m.hub = h
	m.users.Store(1)
	return nil
}

// done says that one user less has m.
func (m *Message) done() {
	if m.users.Add(-1) == 0 {
		m.hub.waiting.Add(-int64(len(m.data)))
	}
}

// send sends m, which nobody else has, to s.
func (s *Socket) send(m *Message) error {
	if err := s.hub.enter(m); err != nil {
		return err
	}
	defer m.done()
	return s.push(m)
}

// push puts m, which its caller has entered, into the outbox.
func (s *Socket) push(m *Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended || s.as != nil:
		return ErrGone
	case len(s.out) >= mostUnsent, len(s.out) > 0 && s.outSize+len(m.data) > 2*s.hub.o.Message:
		s.hub.counts.dropped.Add(1)
		return ErrSlow
	}
	m.users.Add(1)
	s.out = append(s.out, m)
	s.outSize += len(m.data)
	if !s.writing {
		s.writing = true
		s.hub.work.Go(s.write)
	}
	return nil
}

// write sends what is in the outbox, and ends when that is empty.
func (s *Socket) write() {
	for {
		s.mu.Lock()
		if len(s.out) == 0 {
			s.out = nil
			s.stopWritingLocked()
			s.mu.Unlock()
			return
		}
		m := s.out[0]
		s.mu.Unlock()
		err := s.writeOne(m)
		s.mu.Lock()
		if s.ended { // read has emptied it, and waits for this
			s.stopWritingLocked()
			s.mu.Unlock()
			return
		}
		s.out[0] = nil
		s.out = s.out[1:]
		s.outSize -= len(m.data)
		s.mu.Unlock()
		m.done()
		if err != nil {
			_ = s.conn.CloseNow() // read notices
		}
	}
}

// stopWritingLocked notes that nobody sends what is in the outbox any more.
func (s *Socket) stopWritingLocked() {
	s.writing = false
	s.room.Broadcast()
}

// writeOne sends m, and counts it.
func (s *Socket) writeOne(m *Message) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.hub.o.Slow)
	defer cancel()
	kind := websocket.MessageText
	if m.binary {
		kind = websocket.MessageBinary
	}
	if err := s.conn.Write(ctx, kind, m.data); err != nil {
		return err
	}
	s.hub.counts.sent.Add(1)
	s.moved.sent.Add(1)
	s.moved.sentBytes.Add(int64(len(m.data)))
	s.touch()
	return nil
}
