package connections

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Reserve is how many connections a bounded port takes beyond its places.
const Reserve = 32

// settled is how long a connection must have been idle to make place for a request from the same address: a shorter
// pause is likely to be one between two requests.
const settled = time.Second

// Options configure a Port.
type Options struct {
	// Name is the port's in the log.
	Name string
	// Most is how many connections may be open at a time, apart from the Reserve. 0 sets no limit.
	Most int
	// Read bounds the time for a whole request, Body that for each Part of its body, Write that for each Part of an
	// answer. All are above zero.
	Read, Body, Write time.Duration
	// WholeAnswers makes Write bound the time that a caller may let an answer wait in all.
	WholeAnswers bool
	// Probe says whether a request is one that is answered in the reserve too. Nil stands for none.
	Probe func(*http.Request) bool
	// Around goes around the handler of all requests, those that are refused too: it gives each its ID. Nil leaves it
	// out.
	Around func(http.Handler) http.Handler
	// Errors turns what net/http writes, when it refuses a request before any handler sees it, into the answer to send
	// instead; it is asked about all that is written then. Nil leaves it as it is.
	Errors func(written []byte) (answer []byte, ok bool)
	// HTTP2 has HTTP/2 spoken to callers who begin with it, with TLS or without.
	HTTP2 bool
	// TLS is how callers are spoken to, apart from the protocols inside of it. Nil stands for no TLS.
	TLS *tls.Config
	// Bodies bounds the memory for what callers send, Answers that for what they have not yet taken. Nil sets no bound.
	Bodies  *Bodies
	Answers *Answers
	Logger  *slog.Logger
}

// Stats is the state of a port.
type Stats struct {
	// Open are the connections, and the requests over HTTP/2 beyond one on each; Limit is how many there may be, 0 for
	// any number.
	Open, Limit int
	// Refused counts requests that found no place, Ended the connections that made place for others, AcceptErrors the
	// connections that could not be taken, most often for lack of descriptors.
	Refused, Ended, AcceptErrors uint64
	// HandshakeErrors counts connections that did not get to speak TLS.
	HandshakeErrors uint64
}

// Port is a listener and all who are connected to it. It is safe for concurrent use.
type Port struct {
	net.Listener
	Options

	linger lingering
	closed chan struct{}
	once   sync.Once
	failed limited // what accept has said
	warned limited // that all places are in use

	mu      sync.Mutex // guards the fields below, and the places of connections
	places  *room
	reserve *room
	stats   Stats
}

// New returns a Port whose connections come from l.
func New(l net.Listener, o Options) *Port {
	if o.Probe == nil {
		o.Probe = func(*http.Request) bool { return false }
	}
	if o.Around == nil {
		o.Around = func(next http.Handler) http.Handler { return next }
	}
	if o.TLS != nil {
		o.TLS = o.TLS.Clone()
		o.TLS.NextProtos = []string{"http/1.1"}
		if o.HTTP2 {
			o.TLS.NextProtos = []string{"h2", "http/1.1"}
		}
	}
	return &Port{
		Listener: l,
		Options:  o,
		linger:   lingering{min(lingerIdle, o.Body), min(lingerTotal, o.Read)},
		closed:   make(chan struct{}),
		places:   newRoom(o.Most),
		reserve:  newRoom(Reserve),
	}
}

// Serve has server answer until the Port or the server is closed; its error is that of http.Server.Serve. It takes the
// server's ConnState and ConnContext, and puts itself before its Handler.
func (p *Port) Serve(server *http.Server) error {
	server.ConnContext = p.connContext
	server.ConnState = p.connState
	if p.HTTP2 {
		server.Protocols, server.HTTP2 = protocols(), http2Limits()
	}
	server.Handler = p.Around(p.handler(server.Handler))
	return server.Serve(p)
}

// refused says, now and then, that callers are.
func (p *Port) refused() {
	if p.warned.now() {
		p.Logger.Warn("Callers are refused: all connections are in use", "port", p.Name, "limit", p.Most)
	}
}

// Stats returns the state of the port.
func (p *Port) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Open, s.Limit = p.places.taken+p.reserve.taken, p.places.limit
	return s
}

// Close stops Accept; the connections stay open.
func (p *Port) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.Listener.Close()
}

func (p *Port) isClosed() bool {
	select {
	case <-p.closed:
		return true
	default:
		return false
	}
}

// admit gives c a place, or one in the reserve, where the newest connection of an address that has few there is kept
// longest.
func (p *Port) admit(c *Conn) {
	p.mu.Lock()
	var out *Conn
	if !p.places.full() {
		p.places.add(c)
	} else {
		if p.reserve.full() {
			out = p.reserve.victim(max(p.reserve.count(c.address)-1, 0), idle, waiting, busy)
			p.reserve.remove(out)
		}
		c.spare.Store(true)
		p.reserve.add(c)
	}
	p.mu.Unlock()
	if out != nil {
		out.cut()
	}
}

// promote gives c, which has sent a request and is in the reserve, a place: a free one, that of an address which has
// more even without it, or one that its own address does not use.
func (p *Port) promote(c *Conn) bool {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.promoteLocked(c, now)
}

func (p *Port) promoteLocked(c *Conn, now time.Time) bool {
	if c.room == nil {
		return false // it has been ended
	}
	if !p.makeRoomLocked(c.address, now) {
		return false
	}
	p.reserve.remove(c)
	c.spare.Store(false)
	p.places.add(c)
	return true
}

// makeRoomLocked sees that a place is free for address, or says that there is none.
func (p *Port) makeRoomLocked(address netip.Prefix, now time.Time) bool {
	if !p.places.full() {
		return true
	}
	out := p.places.victim(p.places.count(address)+1, idle, waiting)
	if out == nil {
		out = p.places.stale(address, settled, now)
	}
	if out == nil {
		p.stats.Refused++
		return false
	}
	p.places.remove(out)
	p.stats.Ended++
	out.cut()
	return true
}

// leave takes c out of the room that it is in.
func (p *Port) leave(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.room != nil {
		c.room.remove(c)
	}
}

// setPhase says what q is waiting for now. Over HTTP/2 its connection waits for what most keeps it from being ended.
func (p *Port) setPhase(q *request, to phase) {
	now := time.Now()
	c := q.conn
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := q.stream; s != nil {
		to = c.streams.move(s, to)
	}
	if c.room != nil && c.phase != to {
		c.room.move(c, to, now)
	}
}
