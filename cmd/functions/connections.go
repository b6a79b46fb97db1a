package main

import (
	"net"
	"sync"
	"time"
)

// writePart is how much of an answer must be taken within the write timeout, in bytes.
const writePart = 64 << 10

// bounded is a listener whose connections cost little: there are at most so many, and each must take what is sent to it. Unlike
// netutil.LimitListener, its connections can be closed for writing alone, which net/http does so that a refused caller sees why.
type bounded struct {
	net.Listener
	slots  chan struct{} // nil for any number
	write  time.Duration
	closed chan struct{}
	once   sync.Once
}

// newBounded bounds l to so many connections, 0 for any number.
func newBounded(l net.Listener, connections int, write time.Duration) *bounded {
	b := &bounded{Listener: l, write: write, closed: make(chan struct{})}
	if connections > 0 {
		b.slots = make(chan struct{}, connections)
	}
	return b
}

// Accept waits until there is room: callers beyond that stay in the queue of the socket.
func (b *bounded) Accept() (net.Conn, error) {
	if b.slots != nil {
		select {
		case b.slots <- struct{}{}:
		case <-b.closed:
			return nil, net.ErrClosed
		}
	}
	conn, err := b.Listener.Accept()
	if err != nil {
		b.release()
		return nil, err
	}
	return &boundedConn{Conn: conn, listener: b}, nil
}

func (b *bounded) release() {
	if b.slots != nil {
		<-b.slots
	}
}

// Close stops Accept; the connections stay.
func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}

type boundedConn struct {
	net.Conn
	listener *bounded
	once     sync.Once
}

// Write has a deadline for each part, so that a long answer may take long but nobody can stand still.
func (c *boundedConn) Write(p []byte) (int, error) {
	written := 0
	for {
		if err := c.SetWriteDeadline(time.Now().Add(c.listener.write)); err != nil {
			return written, err
		}
		n, err := c.Conn.Write(p[written:min(len(p), written+writePart)])
		written += n
		if err != nil || written == len(p) {
			return written, err
		}
	}
}

// CloseWrite ends what is sent, as (*net.TCPConn).CloseWrite does.
func (c *boundedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c *boundedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.listener.release)
	return err
}
