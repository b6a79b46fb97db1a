package sockets

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/backstage/functions/internal/function"
)

const (
	// mostQueued is how many messages may wait for their calls. Then the socket is not read.
	mostQueued = 16
	// piece is how much memory a message that comes gets at a time, in bytes.
	piece = 4 << 10
	// mostPings is how many pings a caller may send between two looks at its socket.
	mostPings = 100
)

// Socket is one WebSocket connection, or the place for one.
type Socket struct {
	// ID is how functions and callers of the API name it.
	ID string

	hub       *Hub
	ref       function.Ref
	filename  string // of the function, which names it to the worker
	owner     string
	address   string
	protocols []string
	idle      time.Duration
	vacated   bool // its place was given back for one among the last calls; under hub.mu

	// Set by Open; conn and lease under mu.
	opened  bool
	opening Opening
	since   time.Time
	unwatch []func() // what the watches of Opening have returned
	conn    *websocket.Conn
	lease   Lease

	used   atomic.Int64 // when it last carried a message, in nanoseconds since 1970
	heard  atomic.Int64 // when one has last come
	moved  traffic
	pings  atomic.Int32 // that came since sweep has looked
	asked  time.Time    // when its caller was last asked for a pong; of sweep
	calls  int          // for its events; of call
	failed int          // of them, since one has not; of call

	mu      sync.Mutex // guards the fields below
	room    sync.Cond  // in the queue
	queue   []Event
	calling bool // a goroutine takes events from the queue
	full    bool // the reader waits for room
	out     []*Message
	outSize int      // bytes of them
	writing bool     // a goroutine sends them, or will once there is a connection
	as      *closing // how the server has decided that it ends
	hung    bool     // its caller was told
	ended   bool     // nothing is sent any more
}

// traffic is what a socket has carried.
type traffic struct{ received, receivedBytes, sent, sentBytes atomic.Int64 }

// pinged counts a ping and says whether to answer it.
func (s *Socket) pinged(context.Context, []byte) bool {
	if s.pings.Add(1) <= mostPings {
		return true
	}
	s.end(endPings)
	return false
}

// ready has the socket use its connection. It returns how the socket is to end, if that was decided already.
func (s *Socket) ready(conn *websocket.Conn, lease Lease) *closing {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.lease = conn, lease
	return s.as
}

// cut ends the connection at once.
func (s *Socket) cut() {
	s.mu.Lock()
	lease := s.lease
	s.mu.Unlock()
	lease.Cut()
}

// read takes messages until the socket ends.
func (s *Socket) read() {
	as := s.readAll()
	s.mu.Lock()
	for s.as != nil && !s.hung { // its caller is told why
		s.room.Wait()
	}
	if s.as != nil {
		as = *s.as
	}
	s.mu.Unlock()
	if as == endTooLong || as == endBroken {
		s.lease.Linger()
		s.hangUp(as) // the library tells its caller of most faults, but not of all
	}
	_ = s.conn.CloseNow() // it may be closed already
	s.over(as)
}

// over has the function called for the end of the socket. Nothing can be sent any more.
func (s *Socket) over(as closing) {
	s.mu.Lock()
	s.ended = true
	for _, m := range s.out {
		m.done()
	}
	s.out, s.outSize = nil, 0
	connected := s.conn != nil
	for connected && s.writing { // the message in its hands is counted first; the connection is closed, so it is not long
		s.room.Wait()
	}
	s.mu.Unlock()
	s.hub.counts.ended(as)
	s.hub.vacate(s)
	for _, stop := range s.unwatch {
		stop()
	}
	if connected && s.opening.Ended != nil {
		s.opening.Ended(End{
			Code: int(as.code), Took: time.Since(s.since),
			Received: s.moved.received.Load(), ReceivedBytes: s.moved.receivedBytes.Load(),
			Sent: s.moved.sent.Load(), SentBytes: s.moved.sentBytes.Load(),
		})
	}
	s.enqueue(Event{Kind: EventClose, ID: s.ID, Code: int(as.code), Reason: as.reason})
}

// readAll returns how the socket ended.
func (s *Socket) readAll() closing {
	for {
		kind, from, err := s.conn.Reader(s.hub.life)
		if err != nil {
			return ofError(err)
		}
		s.hear()
		data, err := s.readMessage(from)
		switch {
		case err != nil:
			return ofError(err)
		case kind == websocket.MessageText && !utf8.Valid(data):
			s.lease.Shrink(len(data))
			s.end(endText)
			return endText
		}
		s.hub.counts.received.Add(1)
		s.moved.received.Add(1)
		s.moved.receivedBytes.Add(int64(len(data)))
		s.hear()
		e := Event{Kind: EventMessage, ID: s.ID, Data: data, Binary: kind == websocket.MessageBinary}
		if !s.enqueue(e) {
			s.lease.Shrink(len(data))
			return endLost
		}
	}
}

// touch notes that the socket carries a message.
func (s *Socket) touch() { s.used.Store(time.Now().UnixNano()) }

// hear notes that one comes.
func (s *Socket) hear() {
	s.touch()
	s.heard.Store(s.used.Load())
}

// ofError is how a socket ended on which a read has failed.
func ofError(err error) closing {
	if ce, ok := errors.AsType[websocket.CloseError](err); ok {
		return closing{ce.Code, strings.ToValidUTF8(ce.Reason, "\ufffd")}
	}
	if errors.Is(err, websocket.ErrMessageTooBig) {
		return endTooLong
	}
	_, ofNetwork := errors.AsType[net.Error](err)
	for _, lost := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.Canceled, errNoRoom} {
		ofNetwork = ofNetwork || errors.Is(err, lost)
	}
	if ofNetwork {
		return endLost
	}
	return endBroken
}

// errNoRoom ends a message for which there is no memory.
var errNoRoom = errors.New("sockets: no memory for a message")

// readMessage reads all of a message, as memory can be had for it, in at most the time for one.
func (s *Socket) readMessage(from io.Reader) (data []byte, err error) {
	late := time.AfterFunc(s.hub.o.Slow, func() { s.end(endSlow) })
	defer late.Stop()
	granted := 0
	defer func() {
		s.lease.Shrink(granted - len(data)) // what it has beyond the message
	}()
	for {
		if len(data) == cap(data) {
			more := max(piece, cap(data))
			if !s.lease.Grow(more) {
				data = nil
				s.end(endMemory)
				return nil, errNoRoom
			}
			granted += more
			data = append(make([]byte, 0, granted), data...)
		}
		n, err := from.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			data = nil
			return nil, err
		}
	}
}

// end ends the socket by a decision of the server. It does not wait for that.
func (s *Socket) end(as closing) {
	if s.decide(as) {
		s.hub.work.Go(func() { s.hangUp(as) })
	}
}

// endNow is end that waits for the caller's part in it, within the bounds of the library.
func (s *Socket) endNow(as closing) {
	if s.decide(as) {
		s.hangUp(as)
	}
}

// decide notes how the socket ends, and says whether to hang up: that was open, and there is a connection.
func (s *Socket) decide(as closing) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.as != nil || s.ended {
		return false
	}
	s.as = &as
	s.room.Broadcast()
	return s.conn != nil
}

// isEnding says whether the socket has ended, or is about to.
func (s *Socket) isEnding() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended || s.as != nil
}

// patience is how long a caller has for its part in the end of a socket, in all.
const patience = 10 * time.Second

// hangUp closes the connection. The library waits without an end for the rest of a frame that its caller has begun.
func (s *Socket) hangUp(as closing) {
	cut := time.AfterFunc(patience, s.lease.Cut)
	defer cut.Stop()
	if as == endAway {
		s.lease.Cut() // it is lost
	}
	_ = s.conn.Close(as.code, as.reason) // an error says that the caller has not taken part
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hung = true
	s.room.Broadcast()
}
