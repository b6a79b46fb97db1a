// Package connections bounds what the callers of an HTTP port can hold: places for connections, time, and memory for
// what they send and have not yet read.
//
// A Port has so many places. While some are free any address may have them, one address even all. When none is free,
// they are shared between addresses by max-min fairness: a caller whose address holds fewer takes a place of the
// address that holds most, but never one on which a call runs. Callers who find no place are still accepted, into a
// small reserve in which probes are answered and all other requests are refused with 503.
//
//	accept ──► place ──► request ──► … ──► closed
//	   │ none free         ▲ a place can be had
//	   └─────► reserve ──► request ──► a probe: answered;  else: 503, Connection: close
package connections

import (
	"net"
	"net/netip"
)

// peerOf is the unit between which places and memory are shared: an IPv4 address, or the /64 of an IPv6 address, of
// which one caller has as many as it likes. Unix sockets have one for all.
func peerOf(addr net.Addr) netip.Prefix {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	prefix, err := ip.Prefix(bits)
	if err != nil { // the zero address
		return netip.Prefix{}
	}
	return prefix
}
