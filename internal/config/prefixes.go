package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// prefixes reads addresses and networks separated by commas.
func prefixes(target func(*Config) *[]netip.Prefix) parser {
	must := func(item string) error {
		return fmt.Errorf("must be from 1 to %d addresses or networks such as 10.0.0.0/8,192.0.2.7, and %q is neither",
			maxNames, item)
	}
	read := func(c *Config, text string) error {
		items := strings.Split(text, ",")
		if len(items) > maxNames {
			return must(items[maxNames])
		}
		var all []netip.Prefix
		for _, item := range items {
			prefix, err := parsePrefix(strings.TrimSpace(item))
			if err != nil {
				return must(item)
			}
			all = append(all, prefix)
		}
		*target(c) = all
		return nil
	}
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat("192.0.2.7,", n), ",") }
	return past(read, []string{"192.0.2.7", "2001:db8::1,10.0.0.0/8", "0.0.0.0/0", many(maxNames)},
		[]string{many(maxNames + 1), "10.0.0.0/33", "host", "10.0.0.1,", ",", " ", "fe80::1%eth0", "10.0.0.1:80"})
}

// parsePrefix reads a network or a single address. An IPv4-mapped address becomes IPv4.
func parsePrefix(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		prefix, err := netip.ParsePrefix(text)
		return prefix.Masked(), err
	}
	addr, err := netip.ParseAddr(text)
	if err == nil && addr.Zone() != "" {
		err = fmt.Errorf("%s has a zone", text)
	}
	addr = addr.Unmap()
	return netip.PrefixFrom(addr, addr.BitLen()), err
}
