package egress

import "net/netip"

// NestingOf says, of a connection that this server has accepted from the address remote, how deep the call is nested
// whose function made it through this proxy: 1 when that was called from outside; and whether that call uses what
// others leave of the processors. Depth is 0 for all other connections, and where something between, such as a load
// balancer, made the connection anew. It is safe for concurrent use and costs next to nothing while functions have no
// connections.
func (p *Proxy) NestingOf(remote string) (depth int, background bool) {
	if p.remotes.open.Load() == 0 {
		return 0, false
	}
	addr, err := netip.ParseAddrPort(remote)
	if err != nil {
		return 0, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.sources[netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())]; l != nil {
		return l.call.depth + 1, l.call.background
	}
	return 0, false
}

// sourceOf is the address that the other end of the link's connection sees.
func sourceOf(l *link) netip.AddrPort {
	addr, err := netip.ParseAddrPort(l.remote.LocalAddr().String())
	if err != nil {
		return netip.AddrPort{} // not of TCP
	}
	return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
}
