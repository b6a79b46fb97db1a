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

// Dialer connects where the policy allows it, and to exactly the address that was checked. It is safe for concurrent
// use.
type Dialer struct {
	o   Options
	own ownAddresses
}

// NewDialer makes a Dialer. It needs the policies of o and its Limits.Connect; it uses the other options as a Proxy
// does.
func NewDialer(o Options) *Dialer { return &Dialer{o: o.withDefaults()} }

// Dial connects the server itself to address ("host:port"), which a namespace has named. Such connections belong to no
// call and count for no limit. The error is a *DialError.
func (d *Dialer) Dial(ctx context.Context, namespace, address string) (net.Conn, error) {
	began := time.Now()
	t, err := parseTarget(address)
	var conn net.Conn
	failed := &refusal{reason: ReasonHost}
	if err == nil {
		conn, _, failed = d.dial(ctx, d.o.policyOf(namespace), t)
	}
	if failed != nil {
		d.o.Observer.Attempted(namespace, failed.result(), time.Since(began))
		return nil, &DialError{address, t, failed}
	}
	d.o.Observer.Attempted(namespace, Connected, time.Since(began))
	return conn, nil
}

// dial resolves t, checks every address and connects to the first allowed one that answers, through the proxy if there
// is one.
func (d *Dialer) dial(ctx context.Context, policy *Policy, t target) (net.Conn, netip.Addr, *refusal) {
	ctx, cancel := context.WithTimeout(ctx, d.o.Limits.Connect)
	defer cancel()
	addrs, failed := d.resolve(ctx, policy, t)
	if failed != nil {
		if failed.reason == "" && d.mayPassUnknown(policy, t) {
			return d.dialThrough(ctx, t, nil)
		}
		return nil, netip.Addr{}, failed
	}
	allowed, denied := d.sift(policy, t, addrs)
	if len(allowed) == 0 {
		return nil, netip.Addr{}, denied
	}
	if direct := d.direct(t, allowed); len(direct) > 0 {
		return dialFirst(ctx, direct, t.port)
	}
	return d.dialThrough(ctx, t, allowed)
}

// sift returns the addrs that t may lead to, or why the first one is refused.
func (d *Dialer) sift(policy *Policy, t target, addrs []netip.Addr) (allowed []netip.Addr, denied *refusal) {
	denied = &refusal{code: codeNotFound}
	for _, addr := range addrs {
		if reason := policy.check(t, addr, d.own.has); reason == "" {
			allowed = append(allowed, addr)
		} else if denied.reason == "" {
			denied = &refusal{reason: reason, addr: addr}
		}
	}
	return allowed, denied
}

// direct returns the addrs that are reached without the proxy; all if there is none.
func (d *Dialer) direct(t target, addrs []netip.Addr) []netip.Addr {
	if d.o.Upstream == nil {
		return addrs
	}
	var direct []netip.Addr
	for _, addr := range addrs {
		if !d.o.Upstream.isFor(t, addr) {
			direct = append(direct, addr)
		}
	}
	return direct
}

// mayPassUnknown says whether the proxy may be asked for a name that the server cannot look up.
func (d *Dialer) mayPassUnknown(policy *Policy, t target) bool {
	up := d.o.Upstream
	return up != nil && t.name != "" && up.isFor(t, netip.Addr{}) && policy.mayPass(t, up.Names)
}

func (d *Dialer) resolve(ctx context.Context, policy *Policy, t target) ([]netip.Addr, *refusal) {
	if t.addr.IsValid() {
		return []netip.Addr{t.addr}, nil
	}
	if reason := policy.mayResolve(t); reason != "" {
		return nil, &refusal{reason: reason}
	}
	if d.o.Upstream != nil { // the proxy may know more names, and needs time of its own
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.o.Limits.Connect/2)
		defer cancel()
	}
	addrs, err := d.o.Resolver.LookupNetIP(ctx, "ip", t.name)
	if err != nil {
		return nil, &refusal{code: lookupCode(err)}
	}
	for i, addr := range addrs {
		addrs[i] = addr.Unmap().WithZone("")
	}
	return addrs, nil
}

// lookupCode is the error code of getaddrinfo.
func lookupCode(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) && !dns.IsNotFound && (dns.IsTimeout || dns.IsTemporary) ||
		errors.Is(err, context.DeadlineExceeded) {
		return "EAI_AGAIN"
	}
	return codeNotFound
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
		// A connection without data is closed long before keep-alive would probe it.
		dialer := net.Dialer{KeepAlive: -1, ControlContext: only(addr, port)}
		if i < len(addrs)-1 { // the last one has the deadline of ctx
			dialer.Timeout = share
		}
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

// only lets a dialer connect to the address that was checked and to no other.
func only(addr netip.Addr, port uint16) func(context.Context, string, string, syscall.RawConn) error {
	want := netip.AddrPortFrom(addr, port)
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		if got, err := netip.ParseAddrPort(address); err != nil || got != want {
			return fmt.Errorf("egress: %s is not the address %s that was checked", strconv.Quote(address), want)
		}
		return nil
	}
}

// dialCode is the error code of connect.
func dialCode(err error) string {
	var number syscall.Errno
	if errors.As(err, &number) {
		if name := unix.ErrnoName(number); name != "" {
			return name
		}
	}
	return "ETIMEDOUT"
}
