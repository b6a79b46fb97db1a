package reach

import (
	"net/netip"
	"strings"
)

// Hosts are the names by which callers may ask for a server. The zero value has none. It does not change, so it is safe
// for concurrent use.
type Hosts struct {
	any, loopback bool
	exact         map[string]struct{}
	// below are the ends of names that stand behind "*", such as ".example.org".
	below []string
}

// NewHosts returns the hosts of a list: names and IP addresses, "*.example.org" for all names below example.org, and
// "*" for all hosts.
func NewHosts(list ...string) *Hosts {
	h := &Hosts{exact: make(map[string]struct{}, len(list))}
	for _, entry := range list {
		end, wild := strings.CutPrefix(entry, "*")
		switch {
		case wild && end == "":
			h.any = true
		case wild:
			h.below = append(h.below, nameOf(end))
		default:
			h.exact[nameOf(entry)] = struct{}{}
		}
	}
	return h
}

// Loopback are the names of this machine for itself: localhost, names below it, and loopback addresses.
func Loopback() *Hosts { return &Hosts{loopback: true} }

// Allow says whether host, as the header Host has it, is one of the hosts. No host at all is allowed: no browser sends
// that.
func (h *Hosts) Allow(host string) bool {
	name := nameOf(host)
	if h.any || host == "" {
		return true
	}
	if h.loopback && isLoopback(name) {
		return true
	}
	if _, ok := h.exact[name]; ok {
		return true
	}
	for _, end := range h.below {
		if len(name) > len(end) && strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// nameOf is the name or the address in host, in one spelling of it and without the port.
func nameOf(host string) string {
	if inner, port, ok := strings.Cut(host, "]"); ok && host[0] == '[' && isPort(port) {
		host = inner[1:]
	} else if name, port, ok := strings.Cut(host, ":"); ok && isPort(":"+port) {
		host = name
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// isPort says whether text may follow a name or an address in brackets.
func isPort(text string) bool {
	return text == "" || text[0] == ':' && strings.Trim(text[1:], "0123456789") == ""
}

func isLoopback(name string) bool {
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.IsLoopback()
}
