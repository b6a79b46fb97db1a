package egress

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// ownAge is how long the list of this machine's addresses is cached.
const ownAge = 10 * time.Second

// ownAddresses caches the addresses of this machine, including public ones: the server itself listens on them. It is
// safe for concurrent use.
type ownAddresses struct {
	mu   sync.Mutex // guards the fields below
	list []netip.Addr
	read time.Time
}

func (o *ownAddresses) has(addr netip.Addr) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if time.Since(o.read) > ownAge {
		o.list, o.read = interfaceAddresses(), time.Now()
	}
	return slices.Contains(o.list, addr.Unmap())
}

// interfaceAddresses is empty if the system does not list them.
func interfaceAddresses() []netip.Addr {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var list []netip.Addr
	for _, a := range found {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, prefix.Addr().Unmap().WithZone(""))
		}
	}
	return list
}
