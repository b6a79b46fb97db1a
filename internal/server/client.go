package server

import "net/netip"

// clientOf is who shares places under an address, as it does connections: an IPv6 address stands for its /64.
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
