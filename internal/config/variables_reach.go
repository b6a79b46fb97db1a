package config

import (
	"errors"
	"net/url"
	"strings"
)

// reachVariables are about where callers may come from.
var reachVariables = []Variable{
	{
		Name: "ALLOWED_HOSTS", Default: "loopback names in protected mode, else `*`",
		derive: none,
		Meaning: "Hosts that callers of `PORT` and `RUN_PORT` may ask for, separated by commas: names and IP addresses " +
			"without a port, `*.example.org` for all names below one, `*` for all. Requests for others are answered 421, so " +
			"that a page whose name was made to lead here ([DNS rebinding](isolation.md#browsers)) gets nothing. Probes are " +
			"answered all the same, and so are requests that a [route](http-api.md#routes) with their host serves.",
		parse: allowedHosts(func(c *Config) *[]string { return &c.AllowedHosts }),
	},
	{
		Name: "ALLOWED_ORIGINS", Default: "none", derive: none,
		Meaning: "Origins of other sites, such as `https://admin.example.org`, separated by commas, whose pages may send " +
			"requests that change something, as far as browsers let them. The [runs of functions](isolation.md#browsers) " +
			"do not need it.",
		parse: origins(func(c *Config) *[]string { return &c.AllowedOrigins }),
	},
	{
		Name: "METRICS_AUTH", Default: AuthOff,
		Meaning: "`on` has callers of `METRICS_PORT` show a [key](http-api.md#keys) with the role `invoke` in all " +
			"namespaces for `/metrics`, `admin` for profiles. Probes need none. It needs `AUTH` to be `on` or `log`.",
		parse: oneOf(func(c *Config) *string { return &c.MetricsAuth }, AuthOff, AuthOn),
	},
}

// Protected says whether callers of PORT must be on this machine: nobody has said otherwise.
func (c *Config) Protected() bool { return c.Auth == AuthOff && !c.isGiven("HOST") }

// MetricsProtected is Protected for METRICS_PORT.
func (c *Config) MetricsProtected() bool {
	return c.Metrics && c.MetricsAuth != AuthOn && !c.isGiven("HOST") && !c.isGiven("METRICS_HOST")
}

// allowedHosts reads names and addresses of hosts, "*.example.org" and "*".
func allowedHosts(target func(*Config) *[]string) parser {
	p := list(func(name string) error {
		if name == "*" {
			return nil
		}
		if _, err := readHost(strings.TrimPrefix(name, "*.")); err != nil || name == "*." {
			return errors.New("is not a name, an IP address, *.NAME or *, without scheme and port")
		}
		return nil
	}, "h", "http://h", target)
	p.within = append(p.within, "*", "*.example.org,h", "127.0.0.1,::1,[::1],localhost")
	p.beyond = append(p.beyond, "h:80", "*h", "a.*.org", "*.", "**", "[::1]:80", "h/p")
	return p
}

// origins reads origins as browsers send them.
func origins(target func(*Config) *[]string) parser {
	p := list(func(text string) error {
		u, err := url.Parse(text)
		if err != nil || u.Scheme == "" || !goodHost(u) || text != u.Scheme+"://"+u.Host {
			return errors.New("is not an origin such as https://admin.example.org")
		}
		return nil
	}, "https://h", "h", target)
	p.within = append(p.within, "http://localhost:3000,https://h")
	p.beyond = append(p.beyond, "https://h/", "https://u@h", "*", "null", "https://h?q", "https://")
	return p
}
