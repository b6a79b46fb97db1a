package server

import "net/netip"

// clientOf is the client that an address counts as, the same as for connections: an IPv6 address counts as its /64.
func clientOf(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	addr = addr.WithZone("").Unmap()
	if addr.Is4() {
		return addr.String()
	}
	return netip.PrefixFrom(addr, 64).Masked().String()
}
