package sockets

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/semaphore"

	"github.com/backstage/functions/internal/function"
)

const (
	// mostEnding is how many sockets may be in the middle of their closing handshake at the end of the server.
	mostEnding = 1024
)

// Hub has the sockets of a server. Use New. It is safe for concurrent use.
type Hub struct {
	o       Options
	name    string          // of this server, in IDs
	life    context.Context // of calls for events; ends with Close
	cut     context.CancelFunc
	work    sync.WaitGroup // what the Hub has started
	all     sync.WaitGroup // sockets
	closers *closers
	waiting atomic.Int64 // bytes of messages that wait to be taken
	checks  chan struct{}
	asked   asked
	counts  counts

	mu      sync.Mutex // guards the fields below
	closed  bool
	places  places
	last    places // of sockets that have ended and whose calls for that have not
	sockets map[string]*Socket
	checked map[function.Ref]struct{} // functions that check is to look at
}

// New returns a Hub. The caller must Close it.
func New(o Options) *Hub {
	o = o.withDefaults()
	h := &Hub{
		o: o, name: newServerName(), closers: newClosers(), checks: make(chan struct{}, 1),
		places: newPlaces(o.Most), last: newPlaces(o.Most),
		sockets: map[string]*Socket{}, checked: map[function.Ref]struct{}{},
	}
	h.life, h.cut = context.WithCancel(context.Background())
	h.asked.waiting = map[uint64]chan envelope{}
	h.work.Go(h.sweep)
	h.work.Go(h.check)
	h.work.Go(func() { o.Exchange.Subscribe(h.life, []string{h.name, everyServer}, h.received) })
	return h
}

// Longest is the longest message, in bytes.
func (h *Hub) Longest() int { return h.o.Message }

// Admit takes a place for a socket of the function fn, whose caller has that address. It returns ErrFull when there is
// none, and ErrClosed after Close. The Socket must be opened by Open or given up by Leave.
func (h *Hub) Admit(fn *function.Function, address string) (*Socket, error) {
	owner := h.o.Owner(fn.Namespace)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, ErrClosed
	case !h.places.take(address, owner):
		h.counts.refused.Add(1)
		return nil, ErrFull
	}
	s := &Socket{hub: h, ID: newID(h.name), ref: fn.Ref, filename: fn.Filename(), owner: owner, address: address}
	s.lease, s.writing = noLease{}, true // until Open has the connection
	s.room.L = &s.mu
	s.idle = h.o.Idle
	if own := fn.Options.WebSocket.Idle; own > 0 {
		s.idle = min(own, s.idle)
	}
	s.protocols = fn.Options.WebSocket.Protocols
	h.all.Add(1)
	return s, nil
}

// Leave gives the place of a socket back unless it was opened.
func (s *Socket) Leave() {
	if !s.opened {
		s.hub.forget(s)
	}
}

// vacate gives the place of s back, whose connection has ended, for one among the last calls. While its address or its
// owner has too many of those, s keeps its place, so that what waits stays bounded.
func (h *Hub) vacate(s *Socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, s.ID)
	if s.vacated = h.last.take(s.address, s.owner); s.vacated {
		h.places.give(s.address, s.owner)
	}
}

// forget gives back what s has: it needs no call any more.
func (h *Hub) forget(s *Socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, s.ID)
	if s.vacated {
		h.last.give(s.address, s.owner)
	} else {
		h.places.give(s.address, s.owner)
	}
	h.all.Done()
}

// Open answers r with 101 and begins to serve the socket. First is its first message, from the answer of the function;
// nil for none. An error means that the caller is gone, unless it is ErrClosed.
//
// The socket is there before its caller knows: what is sent to it until then waits.
func (s *Socket) Open(w http.ResponseWriter, r *http.Request, o Opening, first *Message) error {
	h := s.hub
	s.opening, s.since = o, time.Now()
	s.asked = s.since
	s.used.Store(s.since.UnixNano())
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return ErrClosed
	}
	s.opened = true
	h.sockets[s.ID] = s
	h.mu.Unlock()
	if first != nil {
		_ = s.send(first) // the first one fits
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: s.protocols, InsecureSkipVerify: true, // CheckHandshake has looked at the origin
		CompressionMode: websocket.CompressionDisabled, // its windows would take more memory than all else
		OnPingReceived:  s.pinged,
	})
	if err != nil {
		s.over(endLost)
		return err
	}
	h.counts.opened.Add(1)
	conn.SetReadLimit(int64(h.o.Message))
	if as := s.ready(conn, h.o.Lease(r)); as != nil {
		h.work.Go(func() { s.hangUp(*as) })
	}
	if o.Watch != nil {
		s.unwatch = append(s.unwatch, o.Watch(func() { s.end(endRevoked) }))
	}
	if o.WatchNamespace != nil {
		s.unwatch = append(s.unwatch, o.WatchNamespace(func() { s.end(endDisabled) }))
	}
	if o.Access != "" {
		h.recheck(s)
	}
	h.work.Go(s.write)
	h.work.Go(s.read)
	return nil
}

// list is all sockets that are open.
func (h *Hub) list() []*Socket {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*Socket, 0, len(h.sockets))
	for _, s := range h.sockets {
		list = append(list, s)
	}
	return list
}

// find returns the socket of a namespace with that ID, nil if there is none that is open.
func (h *Hub) find(namespace, id string) *Socket {
	h.mu.Lock()
	s := h.sockets[id]
	h.mu.Unlock()
	if s == nil || s.ref.Namespace != namespace || s.isEnding() {
		return nil
	}
	return s
}

// Close ends all sockets with code 1001 and returns when the calls for their last events have ended, or ctx has. No
// socket is admitted from then on. A second Close does nothing more.
func (h *Hub) Close(ctx context.Context) {
	h.mu.Lock()
	again := h.closed
	h.closed = true
	h.mu.Unlock()
	if again {
		return
	}
	defer context.AfterFunc(ctx, h.cutAll)()
	ending := semaphore.NewWeighted(mostEnding)
	for _, s := range h.list() {
		if ending.Acquire(ctx, 1) != nil {
			break
		}
		h.work.Go(func() {
			defer ending.Release(1)
			s.endNow(endShutdown)
		})
	}
	h.all.Wait()
	h.cut()
	h.work.Wait()
}

// cutAll ends what is left.
func (h *Hub) cutAll() {
	h.cut()
	for _, s := range h.list() {
		s.cut()
	}
}
