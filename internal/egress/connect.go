package egress

import (
	"context"
	"errors"
	"net"
	"time"
)

// connect answers CONNECT: it reaches the target and carries bytes between conn and it, or says why not.
func (p *Proxy) connect(c *call, conn *net.UnixConn, argument string) {
	l := p.open(c, conn, argument)
	if l == nil {
		return
	}
	writeLine(conn, "200 "+l.addr.String()+"\n")
	l.carry(conn)
}

// reserve answers RESERVE: it reaches the target and keeps the connection for the worker, or says why not.
func (p *Proxy) reserve(c *call, conn *net.UnixConn, argument string) {
	l := p.open(c, conn, argument)
	if l == nil {
		return
	}
	ticket, ok := c.park(l)
	if !ok {
		l.close()
		return
	}
	writeLine(conn, "200 "+l.addr.String()+" "+ticket+"\n")
}

// open reaches the target and makes the link part of the call. Nil says that it told the worker by conn why not.
func (p *Proxy) open(c *call, conn *net.UnixConn, argument string) *link {
	began := time.Now()
	t, bad := parseTarget(argument)
	l, failed := p.reach(c, argument, t, bad)
	if failed == nil && !c.hold(l.remote) {
		l.close()
		failed = &refusal{reason: ReasonNoCall}
	}
	if failed != nil {
		p.o.Observer.Attempted(c.namespace, failed.result(), time.Since(began))
		refuse(conn, failed.forWorker(t))
		return nil
	}
	p.o.Observer.Attempted(c.namespace, Connected, time.Since(began))
	return l
}

// reach connects to t, which argument names. It logs what the policy refuses, and makes the span.
func (p *Proxy) reach(c *call, argument string, t target, bad error) (*link, *refusal) {
	ctx, ok, first := c.attempt()
	if !ok && !first { // told once: there may be any number of them
		return nil, &refusal{reason: ReasonLimit}
	}
	span := p.beginSpan(c, t)
	failed := &refusal{reason: ReasonLimit}
	if ok {
		var l *link
		if l, failed = p.reachWithin(ctx, c, t, bad); failed == nil {
			l.span = span
			return l, nil
		}
		c.release()
	}
	if failed.reason != "" {
		p.logDenied(c, t, argument, failed)
	}
	span.failed(failed)
	return nil, failed
}

// reachWithin connects to t, unless bad says that it is no target.
func (p *Proxy) reachWithin(ctx context.Context, c *call, t target, bad error) (*link, *refusal) {
	switch {
	case errors.Is(bad, errPort): // nobody listens on port 0
		return nil, &refusal{code: "ECONNREFUSED"}
	case bad != nil:
		return nil, &refusal{reason: ReasonHost}
	case !p.remotes.take(c.owner):
		return nil, &refusal{reason: ReasonLimit}
	}
	remote, addr, failed := p.dialer.dial(ctx, c.policy, t)
	if failed != nil {
		p.remotes.give(c.owner)
		return nil, failed
	}
	return p.newLink(c, t, addr, remote), nil
}
