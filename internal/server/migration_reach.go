package server

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/internal/function"
)

// lookupTimeout limits one lookup, maxHosts how many hosts are remembered.
const (
	lookupTimeout = 3 * time.Second
	maxHosts      = 4096
)

// reach is migration.Check's.
func (m *migrationCheck) reach() func(ctx context.Context, namespace, host string, port uint16) (why, allow string) {
	lookup := m.lookup()
	check := func(ctx context.Context, p egress.Policy, namespace, host string, port uint16) (egress.Reason, error) {
		owner := function.Owner(namespace, m.cfg.OwnerSeparator)
		return egress.NewPolicies(p, m.cfg.Egress.Namespaces).Check(ctx, namespace, owner, host, port, lookup)
	}
	return func(ctx context.Context, namespace, host string, port uint16) (why, allow string) {
		policy := m.cfg.Egress.Policy
		reason, err := check(ctx, policy, namespace, host, port)
		switch {
		case err != nil && m.cfg.Egress.Upstream != nil:
			return "", "" // the proxy may know the name
		case err != nil:
			return "this name has no address here, so whether functions may reach it is not known", ""
		case reason == "":
			return "", ""
		}
		why = fmt.Sprintf("functions may not reach it (%s)", reason)
		allow = net.JoinHostPort(host, fmt.Sprint(port))
		rule := allow
		if port == 0 {
			rule, allow = ruleForAll(host), net.JoinHostPort(host, "PORT")
		}
		rules, err := egress.ParseRules(rule)
		if err == nil {
			policy.Allow = slices.Concat(policy.Allow, rules)
			reason, err = check(ctx, policy, namespace, host, port)
		}
		if err != nil || reason != "" {
			return why + ", and EGRESS_ALLOW alone does not change that", ""
		}
		if port == 0 {
			return why + ". Its port cannot be told from the text: EGRESS_ALLOW=" + allow +
				" allows it; put its port in place of PORT", ""
		}
		return why + ". EGRESS_ALLOW=" + allow + " lets them", allow
	}
}

// ruleForAll is a rule for all ports of a host.
func ruleForAll(host string) string {
	if addr, err := netip.ParseAddr(host); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()).String()
	}
	return host
}

// lookup finds the addresses of names, and remembers them.
func (m *migrationCheck) lookup() egress.Lookup {
	known := map[string][]netip.Addr{}
	return func(ctx context.Context, name string) ([]netip.Addr, error) {
		if found, ok := known[name]; ok || m.options.NoDNS {
			return found, nil
		}
		ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
		defer cancel()
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		if err == nil && len(known) < maxHosts {
			known[name] = found
		}
		return found, err
	}
}
