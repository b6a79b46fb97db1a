package egress

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// call is one call of a function with its connections.
type call struct {
	namespace, function, id string
	owner                   string          // whose share of the connections it uses
	outgoing                json.RawMessage // names the parent span of its connections
	depth                   int             // of calls above it
	background              bool            // it uses what others leave of the processors
	policy                  *Policy
	limits                  *Limits

	mu       sync.Mutex // guards the fields below
	ended    bool
	cancel   context.CancelFunc // of ctx, which is created on first use
	ctx      context.Context
	attempts int
	denied   int                     // attempts that the policy refused
	slots    *semaphore.Weighted     // for connections to the outside, made with ctx
	lookups  *semaphore.Weighted     // for lookups, made with ctx
	waiting  int                     // attempts that wait for a place, or waited when the call ended
	known    map[netip.Addr][]string // names that the call has looked up, by address
	pairs    int                     // in known
	open     map[net.Conn]struct{}   // both ends of everything
	parked   map[string]*link        // by ticket, until the worker comes for them
}

// name is that of the function as logs have it, of that of its file.
func (c *call) name() string { return strings.TrimSuffix(c.function, ".js") }

// adopt makes conn, which came from the worker, part of the call; false means that the call has ended or has too many
// connections: one for each attempt, and one for each that is attached.
func (c *call) adopt(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || len(c.open) >= c.limits.Attempts+2*c.limits.PerCall { // the other ends are in open too
		return false
	}
	c.addLocked(conn)
	return true
}

func (c *call) addLocked(conn net.Conn) {
	if c.open == nil {
		c.open = map[net.Conn]struct{}{}
	}
	c.open[conn] = struct{}{}
}

// drop closes conn, which is part of the call.
func (c *call) drop(conn net.Conn) {
	_ = conn.Close() // unsent data may be lost
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, conn)
}

// attempt counts that many attempts to connect or look up. It returns the context of the call, or false if there were
// too many. First means that these were the first too many.
func (c *call) attempt(n int) (ctx context.Context, ok, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.attempts
	c.attempts += n
	if c.ended || c.attempts > c.limits.Attempts {
		return nil, false, before <= c.limits.Attempts
	}
	if c.ctx == nil {
		c.ctx, c.cancel = context.WithCancel(context.Background())
		c.slots = semaphore.NewWeighted(int64(c.limits.PerCall))
		c.lookups = semaphore.NewWeighted(int64(c.limits.PerCall))
	}
	return c.ctx, true, false
}

// context is that of a call which has made an attempt.
func (c *call) context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ctx
}

// hold makes a connection to the outside part of the call; false means that the call has ended.
func (c *call) hold(remote net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.addLocked(remote)
	return true
}

// park keeps a link until the worker attaches to it with the ticket, at most for the time of a connect; false means
// that the call has ended.
func (c *call) park(l *link) (ticket string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return "", false
	}
	if c.parked == nil {
		c.parked = map[string]*link{}
	}
	ticket = rand.Text()
	c.parked[ticket] = l
	l.forget = time.AfterFunc(c.limits.Connect, func() {
		if c.claim(ticket) != nil {
			l.close()
		}
	})
	return ticket, true
}

// claim returns the link of a ticket, once.
func (c *call) claim(ticket string) *link {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.parked[ticket]
	delete(c.parked, ticket)
	return l
}

// end closes everything: connections to the worker first, so that nobody there gets an answer any more.
func (c *call) end() {
	c.mu.Lock()
	c.ended = true
	parked, open, cancel := c.parked, c.open, c.cancel
	c.parked, c.open = nil, nil
	c.mu.Unlock()
	for conn := range open {
		if inner, ok := conn.(*net.UnixConn); ok {
			_ = inner.Close() // its readers and writers see that it is closed
		}
	}
	if cancel != nil {
		cancel()
	}
	for conn := range open {
		_ = conn.Close()
	}
	for _, l := range parked {
		l.close()
	}
}
