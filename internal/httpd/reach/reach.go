// Package reach says where a caller is and which host it asks for, for ports that do not answer everybody.
package reach

import (
	"net"
	"net/http"
	"net/netip"
)

// IsLocal says whether the caller of r is on this machine: its connection comes from a loopback address or over a Unix
// socket. Headers do not count: every caller can write them.
func IsLocal(r *http.Request) bool {
	if IsUnix(r) {
		return true
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}

// IsUnix says whether r came over a Unix socket.
func IsUnix(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && local.Network() == "unix"
}
