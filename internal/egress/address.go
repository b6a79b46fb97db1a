package egress

import "net/netip"

// ranges are the addresses that are not public: those that the IANA IPv4 and IPv6 Special-Purpose Address Registries
// (https://www.iana.org/assignments/iana-ipv4-special-registry, …/iana-ipv6-special-registry) do not call globally
// reachable, the multicast registries, site-local addresses, and the metadata services of clouds elsewhere. The first
// range that contains an address counts.
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

// globalUnicast is all of IPv6 that is allocated: RFC 4291, section 2.4, and IANA's registry.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// nat64 is globally reachable although it lies outside globalUnicast: on networks without IPv4 the way to IPv4 leads
// through it. The relays of sixToFour are gone (RFC 7526).
var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
)

// embeddings are the IPv6 addresses that stand for an IPv4 address, and the places of its four bytes, which are
// inverted in a Teredo address.
var embeddings = []struct {
	prefix netip.Prefix
	at     [4]int
	invert byte
}{
	{netip.MustParsePrefix("::/96"), [4]int{12, 13, 14, 15}, 0},           // RFC 4291, IPv4-compatible
	{netip.MustParsePrefix("::ffff:0:0:0/96"), [4]int{12, 13, 14, 15}, 0}, // RFC 2765, IPv4-translated
	{nat64, [4]int{12, 13, 14, 15}, 0},                                    // RFC 6052
	// RFC 8215, in any of the forms of RFC 6052.
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{6, 7, 9, 10}, 0},
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{7, 9, 10, 11}, 0},   // for prefixes of 48, 56,
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{9, 10, 11, 12}, 0},  // 64
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{12, 13, 14, 15}, 0}, // and 96 bits
	{sixToFour, [4]int{2, 3, 4, 5}, 0},                                   // RFC 3056, 6to4
	{netip.MustParsePrefix("2001::/32"), [4]int{4, 5, 6, 7}, 0},          // RFC 4380, Teredo: the server
	{netip.MustParsePrefix("2001::/32"), [4]int{12, 13, 14, 15}, 0xff},   // and the client
}

// faces are an address (an IPv4-mapped one as IPv4) and the IPv4 addresses that a gateway could make of it.
func faces(addr netip.Addr) []netip.Addr {
	addr = addr.Unmap().WithZone("")
	all := []netip.Addr{addr}
	if addr.Is4() {
		return all
	}
	bytes := addr.As16()
	for _, e := range embeddings {
		if e.prefix.Contains(addr) {
			var inner [4]byte
			for i, at := range e.at {
				inner[i] = bytes[at] ^ e.invert
			}
			all = append(all, netip.AddrFrom4(inner))
		}
	}
	// RFC 5214, ISATAP: the mark is in the interface identifier, under any prefix. Its two lowest bits are scope and
	// group.
	if mark := [4]byte(bytes[8:]); mark[0]&^3 == 0 && mark[1] == 0 && mark[2] == 0x5e && mark[3] == 0xfe {
		all = append(all, netip.AddrFrom4([4]byte(bytes[12:])))
	}
	return all
}

// notPublic says why addr is not public; empty if it is. An address that stands for another one must pass as both.
func notPublic(addr netip.Addr) Reason {
	all := faces(addr)
	for _, face := range all {
		for _, r := range ranges {
			if r.prefix.Contains(face) {
				return r.reason
			}
		}
	}
	if addr = all[0]; addr.Is6() && (!globalUnicast.Contains(addr) || sixToFour.Contains(addr)) && !nat64.Contains(addr) {
		return ReasonReserved
	}
	return ""
}
