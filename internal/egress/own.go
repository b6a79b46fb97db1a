package egress

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// ownAge is how long the list of this machine's addresses is trusted.
const ownAge = 10 * time.Second

// ownAddresses knows the addresses of this machine, public ones included: behind them listens the server itself. It is safe for
// concurrent use.
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

// interfaceAddresses is empty when the system does not tell.
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
