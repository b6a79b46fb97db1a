package egress

import (
	"context"
	"errors"
	"net"
	"time"
)

// attempt is an attempt to connect to the outside, as asked for on conn, which is the worker's.
type attempt struct {
	call     *call
	conn     *net.UnixConn
	argument string // as it was written
	target   target
	bad      error     // set if the argument is not a target
	began    time.Time // when it had a place
}

// connect answers CONNECT: it connects to the target and copies bytes between it and conn, or says why not.
func (p *Proxy) connect(c *call, conn *net.UnixConn, argument string) {
	l := p.open(c, conn, argument)
	if l == nil {
		return
	}
	writeLine(conn, "200 "+l.addr.String()+"\n")
	l.carry(conn)
}

// reserve answers RESERVE: it connects to the target and keeps the connection for the worker, or says why not.
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

// open connects to the target and makes the link part of the call. Nil means that it has told the worker on conn why
// not.
func (p *Proxy) open(c *call, conn *net.UnixConn, argument string) *link {
	a := &attempt{call: c, conn: conn, argument: argument, began: time.Now()}
	a.target, a.bad = parseTarget(argument)
	l, failed := p.reach(a)
	if failed == nil && !c.hold(l.remote) {
		l.close()
		failed = &refusal{reason: ReasonNoCall}
	}
	if failed != nil {
		p.o.Observer.Attempted(c.namespace, failed.result(), time.Since(a.began))
		refuse(conn, failed.forWorker(a.target))
		return nil
	}
	p.o.Observer.Attempted(c.namespace, Connected, time.Since(a.began))
	return l
}

// reach connects to the target. It logs what the policy refuses, and makes the span.
func (p *Proxy) reach(a *attempt) (*link, *refusal) {
	ctx, ok, first := a.call.attempt(1)
	if !ok && !first { // logged once: there may be any number of them
		return nil, &refusal{reason: ReasonLimit}
	}
	span := p.beginSpan(a.call, a.target)
	failed := &refusal{reason: ReasonLimit}
	if ok {
		var l *link
		if l, failed = p.reachWithin(ctx, a); failed == nil {
			l.span = span
			return l, nil
		}
	}
	if failed.reason != "" {
		p.logDenied(a, failed)
	}
	span.failed(failed)
	return nil, failed
}

// reachWithin connects to the target as soon as there is a place.
func (p *Proxy) reachWithin(ctx context.Context, a *attempt) (*link, *refusal) {
	switch {
	case errors.Is(a.bad, errPort): // nobody listens on port 0
		return nil, &refusal{code: "ECONNREFUSED"}
	case a.bad != nil:
		return nil, &refusal{reason: ReasonHost}
	case !p.enter(ctx, a.call, a.conn, p.connections(a.call)):
		return nil, &refusal{code: codeGivenUp}
	}
	a.began = time.Now()
	remote, addr, failed := p.dialer.dial(ctx, a.call.policy, p.named(a.call, a.target))
	if failed != nil {
		p.connections(a.call).give(a.call.owner)
		return nil, failed
	}
	return p.newLink(a.call, a.target, addr, remote), nil
}
