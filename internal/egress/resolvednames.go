package egress

import (
	"net/netip"
	"slices"
)

// maxKnown is how many pairs of name and address a call remembers.
const maxKnown = 1000

// remember notes that the call was told that name leads to addrs.
func (c *call) remember(name string, addrs []netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[netip.Addr][]string{}
	}
	for _, addr := range addrs {
		if c.pairs < maxKnown && !slices.Contains(c.known[addr], name) {
			c.known[addr] = append(c.known[addr], name)
			c.pairs++
		}
	}
}

// namesOf returns the names that the call was told lead to addr.
func (c *call) namesOf(addr netip.Addr) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.known[addr])
}

// named gives t, when it is an address that may not be reached as it is, the name by which it may: one that the call
// has looked up here. Programs that look names up themselves then go where those go that leave it to us.
func (p *Proxy) named(c *call, t target) target {
	own := p.dialer.own.has
	if !t.addr.IsValid() || c.policy.check(t, t.addr, own) == "" {
		return t
	}
	for _, name := range c.namesOf(t.addr) {
		by := target{name: name, addr: t.addr, port: t.port}
		if c.policy.check(by, by.addr, own) == "" {
			return by
		}
	}
	return t
}
