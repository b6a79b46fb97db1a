// Package forwarded says who made a request and for which host, by what trusted proxies tell.
package forwarded

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Addr is the address of the caller: that of the connection, or what the proxies say that are trusted. Each proxy adds
// the address of who called it to the end of X-Forwarded-For, so the list is believed from there, up to the first
// address that is no trusted proxy.
func Addr(r *http.Request, trusted []netip.Prefix) string {
	host := peer(r)
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

// Host is the host that the caller asked for: the last value of X-Forwarded-Host if a trusted proxy sent the request,
// else the one of the request itself. What cannot be a host is not believed.
func Host(r *http.Request, trusted []netip.Prefix) string {
	told := last(r, "X-Forwarded-Host")
	if told != "" && httpguts.ValidHostHeader(told) && isTrusted(trusted, peer(r)) {
		return told
	}
	return r.Host
}

// Scheme is "https" or "http": the last value of X-Forwarded-Proto if a trusted proxy sent the request, else that of
// the connection.
func Scheme(r *http.Request, trusted []netip.Prefix) string {
	told := strings.ToLower(last(r, "X-Forwarded-Proto"))
	switch {
	case (told == "http" || told == "https") && isTrusted(trusted, peer(r)):
		return told
	case r.TLS != nil:
		return "https"
	}
	return "http"
}

// last is the last of the values of a header, which the proxy that is nearest has written.
func last(r *http.Request, header string) string {
	values := r.Header[header]
	if len(values) == 0 {
		return ""
	}
	text := values[len(values)-1]
	return strings.TrimSpace(text[strings.LastIndexByte(text, ',')+1:])
}

// peer is the address of the connection.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
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
