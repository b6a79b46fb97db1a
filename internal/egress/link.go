package egress

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// link is a connection to the outside and, once the worker has attached, the worker's connection.
type link struct {
	proxy  *Proxy
	call   *call
	target target
	addr   netip.Addr
	remote net.Conn
	span   span
	forget *time.Timer // closes it if nobody attaches
	closed sync.Once

	secure         atomic.Bool  // its first byte was that of TLS
	sent, received atomic.Int64 // bytes
	last           atomic.Int64 // when it carried something, in ns since the epoch
}

func (p *Proxy) newLink(c *call, t target, addr netip.Addr, remote net.Conn) *link {
	l := &link{proxy: p, call: c, target: t, addr: addr, remote: remote}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links[l] = struct{}{}
	p.sources[sourceOf(l)] = l
	return l
}

// close closes the connection to the outside and gives back its places.
func (l *link) close() {
	l.closed.Do(func() {
		l.call.drop(l.remote)
		l.proxy.connections(l.call).give(l.call.owner)
		l.proxy.mu.Lock()
		delete(l.proxy.links, l)
		if source := sourceOf(l); l.proxy.sources[source] == l { // another connection may have the port by now
			delete(l.proxy.sources, source)
		}
		l.proxy.mu.Unlock()
		l.span.closed(l)
		l.proxy.o.Sent(l.call.namespace, l.call.function, l.call.id, l.sent.Load())
		l.proxy.o.Observer.Transferred(l.call.namespace, l.sent.Load(), l.received.Load())
	})
}

// attach answers ATTACH: it copies bytes between conn and the link of the ticket. Early is what came with the request.
func (p *Proxy) attach(c *call, conn *net.UnixConn, ticket string, early []byte) {
	l := c.claim(ticket)
	if l == nil {
		refuse(conn, refusal{reason: ReasonProtocol})
		return
	}
	l.forget.Stop()
	if !l.forward(l.remote, early) {
		l.close()
		return
	}
	l.carry(conn)
}

// carry copies bytes between conn and the outside until both sides have ended, one has failed, or a limit is reached.
// It closes the link.
func (l *link) carry(conn *net.UnixConn) {
	defer l.close()
	l.last.Store(time.Now().UnixNano())
	watch := l.watchIdle(conn)
	defer watch.Stop()
	var down sync.WaitGroup
	down.Go(func() { l.pump(conn, l.remote, l.backward) })
	l.pump(l.remote, conn, l.forward)
	down.Wait()
}

// watchIdle closes both ends if they have carried nothing for too long. One timer costs less than a deadline for each
// read and write.
func (l *link) watchIdle(conn *net.UnixConn) *time.Timer {
	var watch *time.Timer
	started := make(chan struct{})
	watch = time.AfterFunc(l.call.limits.Idle, func() {
		<-started // watch is set
		if rest := time.Until(time.Unix(0, l.last.Load()).Add(l.call.limits.Idle)); rest > 0 {
			watch.Reset(rest)
			return
		}
		_ = conn.Close() // the pumps see that it is closed
		_ = l.remote.Close()
	})
	close(started)
	return watch
}

// forward sends what the worker wrote to the outside.
func (l *link) forward(remote net.Conn, bytes []byte) bool {
	const handshake = 22 // the first byte of a TLS connection: RFC 8446, section 5.1
	if len(bytes) > 0 && l.sent.Load() == 0 {
		l.secure.Store(bytes[0] == handshake)
	}
	l.sent.Add(int64(len(bytes)))
	return l.write(remote, bytes)
}

// backward sends what came from the outside to the worker by conn.
func (l *link) backward(conn net.Conn, bytes []byte) bool {
	l.received.Add(int64(len(bytes)))
	return l.write(conn, bytes)
}

// write writes all of bytes; false means that the link has failed or carried too much.
func (l *link) write(to net.Conn, bytes []byte) bool {
	if l.sent.Load()+l.received.Load() > l.call.limits.Bytes {
		return false
	}
	if len(bytes) == 0 {
		return true
	}
	_, err := to.Write(bytes)
	l.last.Store(time.Now().UnixNano())
	return err == nil
}

// buffers are reused: a link has two, and there may be many links.
var buffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// pump passes what from sends to deliver until it ends, and then ends to. Any other end closes both.
func (l *link) pump(to, from net.Conn, deliver func(net.Conn, []byte) bool) {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	for {
		n, err := from.Read(*buffer)
		if n > 0 && !deliver(to, (*buffer)[:n]) {
			break
		}
		if err == nil {
			continue
		}
		if half, ok := to.(interface{ CloseWrite() error }); ok && errors.Is(err, io.EOF) && half.CloseWrite() == nil {
			return
		}
		break
	}
	_ = to.Close()
	_ = from.Close()
}
