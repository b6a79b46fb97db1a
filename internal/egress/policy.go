package egress

import (
	"net/netip"
	"slices"
)

// Mode is what functions may reach when no rule says more.
type Mode string

// The modes.
const (
	// Off lets functions reach only what is allowed by a rule.
	Off Mode = "off"
	// Public lets them reach the public Internet, but no mail servers.
	Public Mode = "public"
	// All lets them reach everything that no rule denies.
	All Mode = "all"
)

// smtp is the port of mail between servers: functions that can reach it can send spam.
const smtp = 25

// Policy says where functions may go. It is not changed once it is in use.
type Policy struct {
	Mode Mode
	// Deny takes precedence over Allow, and both over Mode.
	Allow, Deny []Rule
}

// denies is Check for rules of Deny alone.
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

// check says why addr, to which t was resolved, may not be reached; empty when it may. Own says whether an address is this machine's.
//
// How far a rule of Allow opens depends on how exactly it is written, because who may set DNS records below a name decides where they
// lead: an address or a range opens itself; a host opens what it resolves to, but for addresses that are never a service's own; a
// wildcard opens public addresses only.
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

// opensInner says whether the addresses that addr stands for beside itself are public or allowed by themselves: a range of addresses that
// lead elsewhere does not open what they lead to.
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

// mayPass says whether a proxy may be asked for t's name when its addresses are not known, after mayResolve: only where a rule names the host,
// for nobody has checked where it leads. Names says that the proxy checks that.
func (p *Policy) mayPass(t target, names bool) bool {
	for _, rule := range p.Allow {
		if rule.matchesName(t.name, t.port) && (names || !rule.wild) {
			return true
		}
	}
	return names && (p.Mode == All || p.Mode == Public && t.port != smtp)
}
