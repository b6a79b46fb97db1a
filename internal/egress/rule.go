package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Rule names targets: a host, all hosts below one (*.example.com), all (*), an address or a range (10.0.0.0/8), each
// with a port after a colon if it is for that port only. IPv6 is in brackets if a port follows: [fd00::/8]:443. The
// zero Rule matches nothing.
type Rule struct {
	text   string
	name   string       // a host, or what comes after *; empty for ranges
	wild   bool         // * or *.name
	prefix netip.Prefix // valid for addresses and ranges
	port   uint16       // 0 for all
}

// String returns the rule as it was written.
func (r Rule) String() string { return r.text }

// ParseRules reads rules separated by commas. An empty text contains none. Its error is for who wrote the text.
func ParseRules(text string) ([]Rule, error) {
	if text == "" {
		return nil, nil
	}
	var rules []Rule
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			return nil, errors.New("a rule between commas is empty")
		}
		rule, err := ParseRule(part)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// ParseRule reads one rule.
func ParseRule(text string) (Rule, error) {
	if strings.Contains(text, "://") {
		return Rule{}, fmt.Errorf("rule %q: must be without a scheme", text)
	}
	rule := Rule{text: text}
	host, port := splitPort(text)
	var err error
	if port != "" {
		if rule.port, err = parsePort(port); err != nil {
			return Rule{}, fmt.Errorf("rule %q: %w", text, err)
		}
	}
	if err := rule.parseHost(host); err != nil {
		return Rule{}, fmt.Errorf("rule %q: %w", text, err)
	}
	return rule, nil
}

// splitPort splits off the port; a text with more than one colon and no brackets is an address without one.
func splitPort(text string) (host, port string) {
	if inner, ok := strings.CutPrefix(text, "["); ok {
		host, rest, _ := strings.Cut(inner, "]")
		return host, strings.TrimPrefix(rest, ":")
	}
	if strings.Count(text, ":") != 1 {
		return text, ""
	}
	host, port, _ = strings.Cut(text, ":")
	if port == "" {
		port = "missing" // not a port
	}
	return host, port
}

func (r *Rule) parseHost(host string) error {
	if prefix, err := netip.ParsePrefix(host); err == nil {
		return r.setRange(prefix)
	}
	if host == "*" {
		r.wild = true
		return nil
	}
	host, r.wild = strings.CutPrefix(host, "*.")
	t, err := parseHost(host)
	switch {
	case err != nil:
		return err
	case !t.addr.IsValid():
		r.name = t.name
	case r.wild:
		return errHost
	default:
		r.prefix = netip.PrefixFrom(t.addr, t.addr.BitLen())
	}
	return nil
}

// setRange sets a range. An IPv4-mapped one becomes the IPv4 range that it stands for, as its addresses do.
func (r *Rule) setRange(prefix netip.Prefix) error {
	const mapped = 96 // bits in front of the IPv4 address
	if prefix.Addr().Is4In6() {
		if prefix.Bits() < mapped {
			return errors.New("it holds more than IPv4-mapped addresses: write the IPv4 and the IPv6 range that you mean")
		}
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mapped)
	}
	r.prefix = prefix.Masked()
	return nil
}

// matchesName says whether the rule names the host as it was asked for; name is empty for an address.
func (r Rule) matchesName(name string, port uint16) bool {
	return (r.port == 0 || r.port == port) && r.names(name)
}

// names is matchesName for any port.
func (r Rule) names(name string) bool {
	switch {
	case r.wild && r.name == "":
		return true
	case name == "" || r.name == "":
		return false
	case r.wild:
		return strings.HasSuffix(name, "."+r.name)
	default:
		return name == r.name
	}
}

// matchesAddr says whether the rule's range contains addr.
func (r Rule) matchesAddr(addr netip.Addr, port uint16) bool {
	return (r.port == 0 || r.port == port) && r.prefix.IsValid() && r.prefix.Contains(addr)
}
