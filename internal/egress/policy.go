package egress

import (
	"net/netip"
	"slices"
	"strings"
)

// Mode is what functions may reach if no rule says more.
type Mode string

// The modes.
const (
	// Off lets functions reach only what a rule allows.
	Off Mode = "off"
	// Public lets them reach the public Internet, but no mail servers.
	Public Mode = "public"
	// All lets them reach everything that no rule denies.
	All Mode = "all"
)

// smtp is the port of mail between servers: functions that can reach it can send spam.
const smtp = 25

// Policy says what functions may reach. It must not change while it is in use.
type Policy struct {
	Mode Mode
	// Deny takes precedence over Allow, and both over Mode.
	Allow, Deny []Rule
}

// denies is check for rules of Deny alone.
func (p *Policy) denies(t target, addr netip.Addr) bool {
	for _, rule := range p.Deny {
		if rule.matchesName(t.name, t.port) {
			return true
		}
		if !addr.IsValid() {
			continue
		}
		for _, face := range faces(addr) {
			if rule.matchesAddr(face, t.port) {
				return true
			}
		}
	}
	return false
}

// check says why addr, to which t was resolved, may not be reached; empty if it may. Own says whether an address is
// this machine's.
//
// How far a rule of Allow opens depends on how exactly it is written, because anyone who controls the DNS records below
// a name decides where they lead: an address or a range opens itself; a host opens what it resolves to, except
// addresses that are never a service's own; a wildcard opens only public addresses.
func (p *Policy) check(t target, addr netip.Addr, own func(netip.Addr) bool) Reason {
	if p.denies(t, addr) {
		return ReasonRule
	}
	kind := notPublic(addr)
	if kind == "" && p.Mode != All && slices.ContainsFunc(faces(addr), own) {
		kind = ReasonOwn
	}
	if p.allows(t, addr, kind) {
		return ""
	}
	switch p.Mode {
	case All:
		return ""
	case Public:
		if kind == "" && t.port == smtp {
			return ReasonPort
		}
		return kind
	default:
		return ReasonOff
	}
}

func (p *Policy) allows(t target, addr netip.Addr, kind Reason) bool {
	for _, rule := range p.Allow {
		if rule.matchesAddr(addr.Unmap(), t.port) && (rule.prefix.IsSingleIP() || p.opensInner(addr, t.port)) {
			return true
		}
		if !rule.matchesName(t.name, t.port) {
			continue
		}
		switch kind {
		case "":
			return true
		case ReasonPrivate, ReasonLoopback, ReasonOwn:
			if !rule.wild {
				return true
			}
		}
	}
	return false
}

// opensInner says whether the other addresses that addr stands for are public or allowed themselves: a range of
// addresses that lead elsewhere does not open what they lead to.
func (p *Policy) opensInner(addr netip.Addr, port uint16) bool {
	for _, inner := range faces(addr)[1:] {
		allowed := func(rule Rule) bool { return rule.matchesAddr(inner, port) }
		if notPublic(inner) != "" && !slices.ContainsFunc(p.Allow, allowed) {
			return false
		}
	}
	return true
}

// mayResolve says whether t's name may be looked up at all: a lookup tells the owner of the name something.
func (p *Policy) mayResolve(t target) Reason {
	if p.denies(t, netip.Addr{}) {
		return ReasonRule
	}
	if p.Mode != Off {
		return ""
	}
	for _, rule := range p.Allow {
		if rule.prefix.IsValid() && (rule.port == 0 || rule.port == t.port) || rule.matchesName(t.name, t.port) {
			return ""
		}
	}
	return ReasonOff
}

// mayPass says whether a proxy may be asked for t's name if its addresses are unknown, after mayResolve: only if a rule
// names the host, because nobody has checked where it leads. Names says that the proxy checks that.
func (p *Policy) mayPass(t target, names bool) bool {
	if t.name == "localhost" || strings.HasSuffix(t.name, ".localhost") { // RFC 6761: the proxy itself
		return false
	}
	for _, rule := range p.Allow {
		if rule.matchesName(t.name, t.port) && (names || !rule.wild) {
			return true
		}
	}
	return names && (p.Mode == All || p.Mode == Public && t.port != smtp)
}

// mayAsk says whether records of name may be queried, for any port: the name itself, and for one such as
// _mongodb._tcp.example.com the host of the service.
func (p *Policy) mayAsk(name string) Reason {
	host := name
	for strings.HasPrefix(host, "_") {
		_, host, _ = strings.Cut(host, ".")
	}
	matches := func(rule Rule) bool { return rule.names(name) || rule.names(host) }
	if slices.ContainsFunc(p.Deny, func(rule Rule) bool { return rule.port == 0 && matches(rule) }) {
		return ReasonRule
	}
	allows := func(rule Rule) bool { return rule.prefix.IsValid() || matches(rule) }
	if p.Mode != Off || slices.ContainsFunc(p.Allow, allows) {
		return ""
	}
	return ReasonOff
}

// leads is check for a name without a port: why addr may be reached on no port.
func (p *Policy) leads(name string, addr netip.Addr, own func(netip.Addr) bool) Reason {
	reason := p.check(target{name: name}, addr, own) // rules for one port do not apply to 0
	if reason == "" {
		return ""
	}
	for _, rule := range p.Allow {
		if rule.port != 0 && (rule.names(name) || rule.matchesAddr(addr.Unmap(), rule.port)) &&
			p.check(target{name: name, port: rule.port}, addr, own) == "" {
			return ""
		}
	}
	return reason
}
