package egress

import "net/netip"

// ranges are the addresses that are not public, by the IANA IPv4 and IPv6 Special-Purpose Address Registries, and the metadata
// services of clouds that lie elsewhere. The first one that holds an address counts.
var ranges = []struct {
	prefix netip.Prefix
	reason Reason
}{
	{netip.MustParsePrefix("169.254.169.254/32"), ReasonMetadata}, // most clouds
	{netip.MustParsePrefix("169.254.170.2/32"), ReasonMetadata},   // Amazon ECS
	{netip.MustParsePrefix("168.63.129.16/32"), ReasonMetadata},   // Azure, in a public range
	{netip.MustParsePrefix("100.100.100.200/32"), ReasonMetadata}, // Alibaba
	{netip.MustParsePrefix("192.0.0.192/32"), ReasonMetadata},     // Oracle
	{netip.MustParsePrefix("fd00:ec2::254/128"), ReasonMetadata},  // Amazon EC2
	{netip.MustParsePrefix("fd20:ce::254/128"), ReasonMetadata},   // Google
	{netip.MustParsePrefix("0.0.0.0/8"), ReasonUnspecified},       // RFC 791; Linux takes 0.0.0.0 for itself
	{netip.MustParsePrefix("10.0.0.0/8"), ReasonPrivate},          // RFC 1918
	{netip.MustParsePrefix("100.64.0.0/10"), ReasonPrivate},       // RFC 6598, carrier-grade NAT
	{netip.MustParsePrefix("127.0.0.0/8"), ReasonLoopback},        // RFC 1122
	{netip.MustParsePrefix("169.254.0.0/16"), ReasonLinkLocal},    // RFC 3927
	{netip.MustParsePrefix("172.16.0.0/12"), ReasonPrivate},       // RFC 1918
	{netip.MustParsePrefix("192.0.0.0/24"), ReasonReserved},       // RFC 6890
	{netip.MustParsePrefix("192.0.2.0/24"), ReasonReserved},       // RFC 5737, documentation
	{netip.MustParsePrefix("192.88.99.0/24"), ReasonReserved},     // RFC 7526, 6to4 relays
	{netip.MustParsePrefix("192.168.0.0/16"), ReasonPrivate},      // RFC 1918
	{netip.MustParsePrefix("198.18.0.0/15"), ReasonReserved},      // RFC 2544, benchmarks
	{netip.MustParsePrefix("198.51.100.0/24"), ReasonReserved},    // RFC 5737, documentation
	{netip.MustParsePrefix("203.0.113.0/24"), ReasonReserved},     // RFC 5737, documentation
	{netip.MustParsePrefix("224.0.0.0/4"), ReasonMulticast},       // RFC 1112
	{netip.MustParsePrefix("240.0.0.0/4"), ReasonReserved},        // RFC 1112, and broadcast
	{netip.MustParsePrefix("::/128"), ReasonUnspecified},          // RFC 4291
	{netip.MustParsePrefix("::1/128"), ReasonLoopback},            // RFC 4291
	{netip.MustParsePrefix("64:ff9b:1::/48"), ReasonReserved},     // RFC 8215, NAT64 of one's own
	{netip.MustParsePrefix("2001::/23"), ReasonReserved},          // RFC 2928: Teredo, ORCHID, benchmarks …
	{netip.MustParsePrefix("2001:db8::/32"), ReasonReserved},      // RFC 3849, documentation
	{netip.MustParsePrefix("3fff::/20"), ReasonReserved},          // RFC 9637, documentation
	{netip.MustParsePrefix("fc00::/7"), ReasonPrivate},            // RFC 4193
	{netip.MustParsePrefix("fe80::/10"), ReasonLinkLocal},         // RFC 4291
	{netip.MustParsePrefix("fec0::/10"), ReasonPrivate},           // RFC 3879, site-local
	{netip.MustParsePrefix("ff00::/8"), ReasonMulticast},          // RFC 4291
}

// globalUnicast is all of IPv6 that has been given out: RFC 4291, section 2.4, and IANA's registry.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// embeddings are the IPv6 addresses that stand for an IPv4 address, and where its four bytes lie.
var embeddings = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("::/96"), 12},           // RFC 4291, IPv4-compatible
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // RFC 2765, IPv4-translated
	{netip.MustParsePrefix("64:ff9b::/96"), 12},    // RFC 6052, NAT64
	{netip.MustParsePrefix("2002::/16"), 2},        // RFC 3056, 6to4
}

// faces are an address, with an IPv4-mapped one as the IPv4 address it is, and the IPv4 address that a gateway would make of it.
func faces(addr netip.Addr) []netip.Addr {
	addr = addr.Unmap()
	all := []netip.Addr{addr}
	if addr.Is4() {
		return all
	}
	bytes := addr.As16()
	for _, e := range embeddings {
		if e.prefix.Contains(addr) {
			all = append(all, netip.AddrFrom4([4]byte(bytes[e.at:])))
		}
	}
	// RFC 5214, ISATAP: the mark lies in the interface identifier, under any prefix.
	if mark := [4]byte(bytes[8:]); mark == [4]byte{0, 0, 0x5e, 0xfe} || mark == [4]byte{2, 0, 0x5e, 0xfe} {
		all = append(all, netip.AddrFrom4([4]byte(bytes[12:])))
	}
	return all
}

// notPublic says why addr is not one of the public Internet's; empty when it is.
func notPublic(addr netip.Addr) Reason {
	for _, face := range faces(addr) {
		for _, r := range ranges {
			if r.prefix.Contains(face) {
				return r.reason
			}
		}
	}
	if addr = addr.Unmap(); addr.Is6() && !globalUnicast.Contains(addr) && len(faces(addr)) == 1 {
		return ReasonReserved
	}
	return ""
}
