package connections

import (
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// The pauses after a connection could not be accepted.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
)

// Accept returns the next connection. It waits for no place: see admit. A temporary failure, such as that of a
// process which has all the descriptors that it may have, is logged, and the next connection is waited for.
func (p *Port) Accept() (net.Conn, error) {
	pause := firstPause
	for {
		conn, err := p.Listener.Accept()
		if err == nil {
			c := newConn(conn, p)
			p.admit(c)
			return c, nil
		}
		if !mayPass(err) {
			return nil, err
		}
		p.acceptFailed(err)
		select {
		case <-p.closed:
			return nil, net.ErrClosed
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
	}
}

// mayPass says whether accept(2) may succeed when it is tried again.
func mayPass(err error) bool {
	errno, ok := errors.AsType[unix.Errno](err)
	if !ok {
		return false
	}
	switch errno {
	case unix.EMFILE,
		unix.ENFILE,
		unix.ENOBUFS,
		unix.ENOMEM,
		unix.ECONNABORTED,
		unix.ECONNRESET,
		unix.EINTR,
		unix.EAGAIN,
		unix.EPERM,
		unix.EPROTO,
		unix.ENETDOWN,
		unix.ENETUNREACH,
		unix.EHOSTDOWN,
		unix.EHOSTUNREACH,
		unix.ENOPROTOOPT,
		unix.EOPNOTSUPP:
		return true
	}
	return false
}

// acceptFailed tells of a failure and, when descriptors are what is missing, ends a connection that nobody uses.
func (p *Port) acceptFailed(err error) {
	p.mu.Lock()
	p.stats.AcceptErrors++
	failures := p.stats.AcceptErrors
	var out *Conn
	if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) {
		if out = p.places.victim(0, idle); out != nil {
			p.places.remove(out)
			p.stats.Ended++
		}
	}
	p.mu.Unlock()
	if out != nil {
		out.cut()
	}
	if p.failed.now() {
		p.Logger.Warn("Connections cannot be accepted", "port", p.Name, "error", err, "times", failures)
	}
}

// limited lets something be said at most once a minute. The zero value is ready, and safe for concurrent use.
type limited struct {
	mu   sync.Mutex
	last time.Time
}

func (l *limited) now() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !l.last.IsZero() && now.Sub(l.last) < time.Minute {
		return false
	}
	l.last = now
	return true
}
