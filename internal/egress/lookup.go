package egress

import (
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"strings"
	"time"
)

// lookedUp is the result that LookedUp reports for a successful lookup.
const lookedUp = "found"

// finder finds the result for the argument of a call.
type finder func(context.Context, *call, string) (any, *refusal)

// lookup answers LOOKUP and RESOLVE: the result of find as one line of JSON, or why not.
func (p *Proxy) lookup(c *call, conn *net.UnixConn, argument string, find finder) {
	a := &attempt{call: c, conn: conn, argument: argument}
	found, failed := p.find(a, find)
	if failed != nil {
		p.o.Observer.LookedUp(c.namespace, failed.result())
		refuse(conn, failed.forWorker(target{name: argument}))
		return
	}
	p.o.Observer.LookedUp(c.namespace, lookedUp)
	text, err := json.Marshal(found)
	if err != nil { // cannot fail for strings and numbers
		panic(err)
	}
	_ = conn.SetWriteDeadline(time.Now().Add(p.o.Limits.Connect)) // a worker that does not read cannot block the proxy
	writeLine(conn, "200 "+inASCII(text)+"\n")
}

// find calls find once there is a place for one more lookup, and logs what the policy refuses.
func (p *Proxy) find(a *attempt, find finder) (any, *refusal) {
	ctx, ok, first := a.call.attempt(1)
	failed := &refusal{reason: ReasonLimit}
	switch {
	case ok:
		from := slots{own: a.call.lookups, all: p.lookups}
		if !p.enter(ctx, a.call, a.conn, from) {
			return nil, &refusal{code: codeGivenUp}
		}
		defer from.give(a.call.owner)
		ctx, cancel := context.WithTimeout(ctx, p.o.Limits.Connect)
		defer cancel()
		var found any
		if found, failed = find(ctx, a.call, a.argument); failed == nil {
			return found, nil
		}
	case !first: // logged once
		return nil, failed
	}
	if failed.reason != "" {
		p.logDenied(a, failed)
	}
	return nil, failed
}

// addresses finds what getaddrinfo would: the addresses of a name, without those that functions may not reach.
func (p *Proxy) addresses(ctx context.Context, c *call, name string) (any, *refusal) {
	t, err := parseHost(name)
	switch {
	case err != nil:
		return nil, &refusal{code: codeNotFound}
	case t.addr.IsValid():
		return []netip.Addr{t.addr}, nil
	}
	if reason := c.policy.mayAsk(t.name); reason != "" {
		return nil, &refusal{reason: reason}
	}
	found, err := p.o.Resolver.LookupNetIP(ctx, "ip", t.name)
	if err != nil {
		return nil, &refusal{code: lookupCode(err)}
	}
	for i, addr := range found {
		found[i] = addr.Unmap().WithZone("")
	}
	allowed, denied := p.dialer.siftNames(c.policy, t.name, found)
	if len(allowed) == 0 {
		return nil, denied
	}
	c.remember(t.name, allowed)
	return allowed, nil
}

// siftNames returns the addrs to which the name may lead on some port, or why the first one is refused.
func (d *Dialer) siftNames(policy *Policy, name string, addrs []netip.Addr) (allowed []netip.Addr, denied *refusal) {
	denied = &refusal{code: codeNotFound}
	for _, addr := range addrs {
		if reason := policy.leads(name, addr, d.own.has); reason == "" {
			allowed = append(allowed, addr)
		} else if denied.reason == "" {
			denied = &refusal{reason: reason, addr: addr}
		}
	}
	return allowed, denied
}

// inASCII writes JSON in ASCII: a worker reads its lines byte by byte.
func inASCII(text []byte) string {
	var out strings.Builder
	for _, r := range string(text) {
		switch {
		case r < 0x7f:
			out.WriteByte(byte(r))
		case r <= 0xffff:
			out.WriteString(escape(r))
		default: // does not occur in names and records
			out.WriteByte('?')
		}
	}
	return out.String()
}

func escape(r rune) string {
	const digits = "0123456789abcdef"
	return `\u` + string([]byte{digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15]})
}
