package egress

import (
	"context"
	"net/netip"
)

// Lookup finds the addresses of a name.
type Lookup func(ctx context.Context, name string) ([]netip.Addr, error)

// Judge says why functions of a namespace may not reach a port of a host; empty when they may. It connects to nothing. A name that has several
// addresses may be reached when one of them may. The error is that of lookup.
func (p *Policies) Judge(ctx context.Context, namespace, owner, host string, port uint16, lookup Lookup) (Reason, error) {
	t, err := parseHost(host)
	if err != nil {
		return ReasonHost, nil //nolint:nilerr // that is what it says
	}
	t.port = port
	policy := p.of(namespace, owner)
	own := new(ownAddresses)
	if t.addr.IsValid() {
		return policy.check(t, t.addr, own.has), nil
	}
	if reason := policy.mayResolve(t); reason != "" {
		return reason, nil
	}
	found, err := lookup(ctx, t.name)
	if err != nil {
		return "", err
	}
	var first Reason
	for i, addr := range found {
		reason := policy.check(t, addr, own.has)
		if reason == "" {
			return "", nil
		}
		if i == 0 {
			first = reason
		}
	}
	return first, nil
}
