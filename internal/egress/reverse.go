package egress

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// reversed reads the name for reverse lookups of an address, such as 4.3.2.1.in-addr.arpa. The address is not valid if
// the name is that of a network: functions get no information about those.
func reversed(name string) (addr netip.Addr, isReverse bool) {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if rest, ok := underArpa(name, "in-addr.arpa"); ok {
		labels := strings.Split(rest, ".")
		slices.Reverse(labels)
		addr, _ = netip.ParseAddr(strings.Join(labels, ".")) // or the zero value
		return addr, true
	}
	rest, ok := underArpa(name, "ip6.arpa")
	if !ok {
		return netip.Addr{}, false
	}
	labels := strings.Split(rest, ".")
	if len(labels) != 32 {
		return netip.Addr{}, true
	}
	var bytes [16]byte
	for i, label := range labels {
		digit, err := strconv.ParseUint(label, 16, 4)
		if err != nil || len(label) != 1 {
			return netip.Addr{}, true
		}
		at := len(labels) - 1 - i // place of the digit in the address
		bytes[at/2] |= byte(digit) << (4 * (1 - at%2))
	}
	return netip.AddrFrom16(bytes), true
}

// underArpa removes zone from name.
func underArpa(name, zone string) (rest string, ok bool) {
	if name == zone {
		return "", true
	}
	return strings.CutSuffix(name, "."+zone)
}
