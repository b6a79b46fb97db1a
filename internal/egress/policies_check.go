package egress

import (
	"context"
	"net/netip"
)

// Lookup finds the addresses of a name.
type Lookup func(ctx context.Context, name string) ([]netip.Addr, error)

// Check says why functions of a namespace may not reach a port of a host, 0 for any of its ports; empty if they may. It
// does not connect. A name with several addresses may be reached if one of them may. The error is that of lookup.
func (p *Policies) Check(ctx context.Context, namespace, owner, host string, port uint16,
	lookup Lookup,
) (Reason, error) {
	t, err := parseHost(host)
	if err != nil {
		return ReasonHost, nil //nolint:nilerr // the reason says it
	}
	t.port = port
	policy := p.of(namespace, owner)
	own := new(ownAddresses)
	check := func(addr netip.Addr) Reason {
		if port == 0 {
			return policy.leads(t.name, addr, own.has)
		}
		return policy.check(t, addr, own.has)
	}
	if t.addr.IsValid() {
		return check(t.addr), nil
	}
	if port == 0 {
		if reason := policy.mayAsk(t.name); reason != "" {
			return reason, nil
		}
	} else if reason := policy.mayResolve(t); reason != "" {
		return reason, nil
	}
	found, err := lookup(ctx, t.name)
	if err != nil {
		return "", err
	}
	var first Reason
	for i, addr := range found {
		reason := check(addr)
		if reason == "" {
			return "", nil
		}
		if i == 0 {
			first = reason
		}
	}
	return first, nil
}
