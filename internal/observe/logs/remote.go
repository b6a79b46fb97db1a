package logs

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// remoteAddr is the address of the caller, for the trusted proxies of the log.
func remoteAddr(r *Request) string { return RemoteAddr(r.Request, r.trusted) }

// RemoteAddr is the address of the caller: that of the connection, or what the proxies say that are trusted. Each proxy
// adds the address of who called it to the end of X-Forwarded-For, so the list is believed from there, up to the first
// address that is no trusted proxy.
func RemoteAddr(r *http.Request, trusted []netip.Prefix) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if len(trusted) == 0 {
		return host
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		hop = strings.TrimSpace(hop)
		if hop == "" || !isTrusted(trusted, host) {
			break
		}
		host = hop
	}
	return host
}

// isTrusted says whether host is the address of a trusted proxy.
func isTrusted(trusted []netip.Prefix, host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	addr = addr.WithZone("").Unmap()
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}
