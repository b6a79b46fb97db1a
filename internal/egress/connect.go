package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
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
	l, failed := p.reach(c, argument)
	if failed == nil && !c.hold(l.remote) {
		l.close()
		failed = &refusal{reason: ReasonNoCall}
	}
	if failed != nil {
		p.o.Observer.Attempted(c.namespace, failed.result(), time.Since(began))
		refuse(conn, *failed)
		return nil
	}
	p.o.Observer.Attempted(c.namespace, Connected, time.Since(began))
	return l
}

// reach connects to the target that argument names. It logs what the policy refuses.
func (p *Proxy) reach(c *call, argument string) (*link, *refusal) {
	ctx, ok, first := c.attempt()
	if !ok {
		failed := &refusal{reason: ReasonLimit}
		if first {
			p.logDenied(c, argument, failed)
		}
		return nil, failed
	}
	l, failed := p.reachWithin(ctx, c, argument)
	if failed != nil {
		c.release()
		if failed.reason != "" {
			p.logDenied(c, argument, failed)
		}
	}
	return l, failed
}

func (p *Proxy) reachWithin(ctx context.Context, c *call, argument string) (*link, *refusal) {
	t, err := parseTarget(argument)
	switch {
	case errors.Is(err, errPort): // nobody listens on port 0
		return nil, &refusal{code: "ECONNREFUSED"}
	case err != nil:
		return nil, &refusal{reason: ReasonHost}
	case p.remotes.Add(1) > int64(p.o.Limits.Total):
		p.remotes.Add(-1)
		return nil, &refusal{reason: ReasonLimit}
	}
	remote, addr, failed := p.dial(ctx, c.policy, t)
	if failed != nil {
		p.remotes.Add(-1)
		return nil, failed
	}
	return p.newLink(c, t, addr, remote), nil
}

// logDenied writes the one line that each denied attempt leaves.
func (p *Proxy) logDenied(c *call, argument string, failed *refusal) {
	addr := ""
	if failed.addr.IsValid() {
		addr = failed.addr.String()
	}
	p.o.Logger.Warn("Egress denied", "function", c.function, "target", argument, "reason", string(failed.reason), "address", addr, "request", c.id)
}

// dial resolves t, checks every address and connects to the first allowed one that answers.
func (p *Proxy) dial(ctx context.Context, policy *Policy, t target) (net.Conn, netip.Addr, *refusal) {
	ctx, cancel := context.WithTimeout(ctx, p.o.Limits.Connect)
	defer cancel()
	addrs, failed := p.resolve(ctx, policy, t)
	if failed != nil {
		return nil, netip.Addr{}, failed
	}
	var allowed []netip.Addr
	denied := &refusal{code: "ENOTFOUND"}
	for _, addr := range addrs {
		if reason := policy.check(t, addr, p.own.has); reason == "" {
			allowed = append(allowed, addr)
		} else if denied.reason == "" {
			denied = &refusal{reason: reason, addr: addr}
		}
	}
	if len(allowed) == 0 {
		return nil, netip.Addr{}, denied
	}
	return dialFirst(ctx, allowed, t.port)
}

func (p *Proxy) resolve(ctx context.Context, policy *Policy, t target) ([]netip.Addr, *refusal) {
	if t.addr.IsValid() {
		return []netip.Addr{t.addr}, nil
	}
	if reason := policy.mayResolve(t); reason != "" {
		return nil, &refusal{reason: reason}
	}
	addrs, err := p.o.Resolver.LookupNetIP(ctx, "ip", t.name)
	if err != nil {
		return nil, &refusal{code: lookupCode(err)}
	}
	for i, addr := range addrs {
		addrs[i] = addr.Unmap()
	}
	return addrs, nil
}

// lookupCode is what getaddrinfo would have said.
func lookupCode(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) && !dns.IsNotFound && (dns.IsTimeout || dns.IsTemporary) || errors.Is(err, context.DeadlineExceeded) {
		return "EAI_AGAIN"
	}
	return "ENOTFOUND"
}

// dialFirst tries addrs one after the other; each gets its share of the time that is left.
func dialFirst(ctx context.Context, addrs []netip.Addr, port uint16) (net.Conn, netip.Addr, *refusal) {
	failed := &refusal{code: "ETIMEDOUT", addr: addrs[0]}
	for i, addr := range addrs {
		deadline, _ := ctx.Deadline()
		share := time.Until(deadline) / time.Duration(len(addrs)-i)
		if share <= 0 {
			break
		}
		// A connection that carries nothing is closed long before keep-alive would look at it.
		dialer := net.Dialer{Timeout: share, KeepAlive: -1, ControlContext: only(addr, port)}
		conn, err := dialer.DialContext(ctx, "tcp", netip.AddrPortFrom(addr, port).String())
		if err == nil {
			return conn, addr, nil
		}
		if i == 0 {
			failed.code = dialCode(err)
		}
	}
	return nil, netip.Addr{}, failed
}

// only lets a dialer connect to the address that was checked and to no other, whatever it was made to believe.
func only(addr netip.Addr, port uint16) func(context.Context, string, string, syscall.RawConn) error {
	want := netip.AddrPortFrom(addr, port)
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		if got, err := netip.ParseAddrPort(address); err != nil || got != want {
			return fmt.Errorf("egress: %s is not the address %s that was checked", strconv.Quote(address), want)
		}
		return nil
	}
}

// dialCode is what connect would have said.
func dialCode(err error) string {
	var number syscall.Errno
	if errors.As(err, &number) {
		if name := unix.ErrnoName(number); name != "" {
			return name
		}
	}
	return "ETIMEDOUT"
}
