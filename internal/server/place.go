package server

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// place is where to listen, with the variables that say so.
type place struct {
	to                         *net.Listener
	hostVariable, portVariable string
	host                       string // empty for all addresses
	port                       int    // 0 for any free one
}

// checkPorts returns an error if two places are the same: the second one would find its port taken, as if by another
// program.
func checkPorts(places []place) error {
	for i, p := range places {
		for _, earlier := range places[:i] {
			if p.port != 0 && p.port == earlier.port && sharesAddress(p.host, earlier.host) {
				return fmt.Errorf("%s, %s: must not both be %d: set one of them to another port", earlier.portVariable,
					p.portVariable, p.port)
			}
		}
	}
	return nil
}

// sharesAddress says whether who listens on both hosts listens on one address twice. All addresses of IPv4 are those of
// IPv6 too, as net.Listen has it. Which address another name stands for is not known here.
func sharesAddress(a, b string) bool {
	return isAll(a) || isAll(b) || address(a) == address(b)
}

func isAll(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "" || err == nil && addr.IsUnspecified()
}

// address is the one form of a host.
func address(host string) string {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().String()
	}
	if host = strings.ToLower(host); host == "localhost" {
		return "127.0.0.1"
	}
	return host
}
