package egress

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/backstage/functions/sandbox"
)

// Proxy is a running proxy. It is the sandbox.CallWatcher of the pool whose workers it serves, and safe for concurrent
// use.
type Proxy struct {
	o        Options
	dir      string
	listener *net.UnixListener
	serving  sync.WaitGroup // the listener and its connections
	dialer   *Dialer
	remotes  *shares // connections to the outside, and attempts
	lookups  *shares // lookups of names
	workers  *shares // connections of workers
	servers  *nameServers
	messages messages

	mu      sync.Mutex // guards the fields below
	calls   map[int]*call
	queues  map[int]<-chan struct{} // of workers whose call in progress is not known yet: CallsQueued
	links   map[*link]struct{}
	sources map[netip.AddrPort]*link // by local address
}

var _ sandbox.CallWatcher = (*Proxy)(nil)

// New starts a proxy on a socket in a directory of its own. The caller must Close it.
func New(o Options) (*Proxy, error) {
	sweep(os.TempDir())
	dir, err := os.MkdirTemp("", dirPattern)
	if err != nil {
		return nil, fmt.Errorf("egress: %w", err)
	}
	o = o.withDefaults()
	p := &Proxy{
		o: o, dir: dir, dialer: NewDialer(o), servers: &nameServers{fixed: o.NameServers}, remotes: newShares(o.Limits.Total),
		lookups: newShares(lookupsOf(o.Limits.Total)), workers: newShares(innerOf(o.Limits.Total)),
		messages: newMessages(o.Sockets),
		calls:    map[int]*call{}, queues: map[int]<-chan struct{}{}, links: map[*link]struct{}{},
		sources: map[netip.AddrPort]*link{},
	}
	if err := p.listen(); err != nil {
		return nil, errors.Join(fmt.Errorf("egress: %w", err), os.RemoveAll(dir))
	}
	p.serving.Go(p.accept)
	return p, nil
}

// listen opens the socket. On the host only this user can reach it. Workers, which have other users, see only the inner
// directory, which is mounted into their root.
func (p *Proxy) listen() error {
	inner := filepath.Join(p.dir, "in")
	if err := os.Mkdir(inner, 0o711); err != nil { // the outer one is closed
		return err
	}
	if err := os.Chmod(inner, 0o711); err != nil { // whatever the umask says
		return err
	}
	var err error
	if p.listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: socketPath(p.dir), Net: "unix"}); err != nil {
		return err
	}
	return os.Chmod(p.Socket(), 0o666) // the outer one is closed
}

// Socket is the path of the proxy's socket.
func (p *Proxy) Socket() string { return p.listener.Addr().String() }

// Close stops the proxy, closes all its connections, and removes its socket.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.mu.Lock()
	calls := p.calls
	p.calls = map[int]*call{}
	p.mu.Unlock()
	for _, c := range calls {
		c.end()
	}
	p.serving.Wait()
	return errors.Join(err, os.RemoveAll(p.dir))
}

// CallsQueued implements sandbox.CallWatcher.
func (p *Proxy) CallsQueued(pid int, settled <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queues[pid] = settled
}

// CallStarted implements sandbox.CallWatcher.
func (p *Proxy) CallStarted(pid int, inv *sandbox.Invocation) {
	c := &call{
		namespace: inv.Group, owner: cmp.Or(inv.Owner, inv.Group), function: inv.Filename, id: inv.ID, outgoing: inv.Outgoing,
		depth: inv.Depth, background: inv.Background,
		policy: p.o.policyOf(inv.Group), limits: &p.o.Limits,
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[pid] = c
	delete(p.queues, pid)
}

// CallEnded implements sandbox.CallWatcher.
func (p *Proxy) CallEnded(pid int) {
	p.mu.Lock()
	c := p.calls[pid]
	delete(p.calls, pid)
	delete(p.queues, pid)
	p.mu.Unlock()
	if c != nil {
		c.end()
		p.logUntold(c)
	}
}

// callOf returns the call in progress of a worker, once that is known; nil if there is none, or if too many ask before.
func (p *Proxy) callOf(pid int) *call {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.queues[pid] != nil {
		settled := p.queues[pid]
		unknown := "\x00worker " + strconv.Itoa(pid) // no owner can have this name
		if !p.workers.take(unknown) {
			return nil
		}
		p.mu.Unlock()
		<-settled
		p.workers.give(unknown)
		p.mu.Lock()
	}
	return p.calls[pid]
}

// acceptRetry is the pause after a failed accept, for example for lack of descriptors.
const acceptRetry = 10 * time.Millisecond

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.AcceptUnix()
		switch {
		case err == nil:
			p.serving.Go(func() { p.serve(conn) })
		case errors.Is(err, net.ErrClosed):
			return
		default:
			p.o.Logger.Error("Egress cannot accept a connection", "error", err)
			time.Sleep(acceptRetry)
		}
	}
}

// serve answers the request on one connection of a worker.
func (p *Proxy) serve(conn *net.UnixConn) {
	pid, err := peerOf(conn)
	var c *call
	if err == nil {
		c = p.callOf(pid)
	}
	if c != nil && !peerLives(conn) { // checked last: it was alive when the call was found
		c = nil
	}
	if c == nil {
		refuse(conn, refusal{reason: ReasonNoCall})
		_ = conn.Close() // unknown peer
		return
	}
	if !p.workers.take(c.owner) {
		refuse(conn, refusal{reason: ReasonLimit})
		_ = conn.Close()
		return
	}
	defer p.workers.give(c.owner)
	if !c.adopt(conn) {
		refuse(conn, refusal{reason: ReasonLimit})
		_ = conn.Close()
		return
	}
	defer c.drop(conn)
	verb, argument, early, err := readRequest(conn, p.o.Limits.Connect)
	switch {
	case err == nil && verb == "CONNECT" && len(early) == 0:
		p.connect(c, conn, argument)
	case err == nil && verb == "RESERVE" && len(early) == 0:
		p.reserve(c, conn, argument)
	case err == nil && verb == "LOOKUP" && len(early) == 0:
		p.lookup(c, conn, argument, p.addresses)
	case err == nil && verb == "RESOLVE" && len(early) == 0:
		p.lookup(c, conn, argument, p.records)
	case err == nil && verb == "SEND":
		p.send(c, conn, argument, early)
	case err == nil && verb == "HANGUP" && len(early) == 0:
		p.hangup(c, conn, argument)
	case err == nil && verb == "ATTACH":
		p.attach(c, conn, argument, early)
	default:
		p.o.Observer.Attempted(c.namespace, string(ReasonProtocol), 0)
		refuse(conn, refusal{reason: ReasonProtocol})
	}
}
