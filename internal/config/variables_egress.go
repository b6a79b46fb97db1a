package config

import (
	"time"

	"github.com/backstage/functions/internal/egress"
)

// Egress is what functions may reach.
type Egress struct {
	// Policy is EGRESS, EGRESS_ALLOW and EGRESS_DENY; Namespaces is EGRESS_NAMESPACES, by namespace.
	Policy     egress.Policy
	Namespaces map[string]egress.Policy
	// Limits are the variables EGRESS_CONNECTIONS_PER_CALL and following.
	Limits egress.Limits
	// Upstream is EGRESS_PROXY, nil for none.
	Upstream *egress.Upstream
	// proxy and exceptions come from the variables that other programs read too.
	proxy      Secret
	exceptions string
	proxyNames bool
	// KeepAlive is HTTP_KEEP_ALIVE.
	KeepAlive bool
	// UseCertFile is FUNCTIONS_USE_SSL_CERT_FILE, CertFile is SSL_CERT_FILE.
	UseCertFile bool
	CertFile    string
	// ExtraCertFile is NODE_EXTRA_CA_CERTS, TLSInsecure is EGRESS_TLS_INSECURE.
	ExtraCertFile string
	TLSInsecure   bool
}

// maxConnections limits the numbers of connections.
const maxConnections = 100_000

// egressVariables are about what functions may reach.
var egressVariables = []Variable{
	{
		Name: "EGRESS", Live: true, Default: "public",
		Meaning: "What functions may reach: `public` (the public Internet), `off` (only what `EGRESS_ALLOW` names) or " +
			"`all` (everything that " +
			"`EGRESS_DENY` does not name).",
		parse: oneOf(func(c *Config) *egress.Mode { return &c.Egress.Policy.Mode }, egress.Public, egress.Off, egress.All),
	},
	{
		Name: "EGRESS_ALLOW", Live: true, Default: "none", derive: none,
		Meaning: "What functions may reach in addition: hosts, `*.wildcards`, addresses and ranges such as " +
			"`10.1.0.0/16`, separated by commas, each with a `:port` if it is for one port only.",
		parse: rules(func(c *Config) *[]egress.Rule { return &c.Egress.Policy.Allow }),
	},
	{
		Name: "EGRESS_DENY", Live: true, Default: "none", derive: none,
		Meaning: "What functions may not reach, whatever else allows it; in the form of `EGRESS_ALLOW`.",
		parse:   rules(func(c *Config) *[]egress.Rule { return &c.Egress.Policy.Deny }),
	},
	{
		Name: "EGRESS_NAMESPACES", Live: true, Default: "{}",
		Meaning: "JSON object of namespaces whose functions have their own policy, such as `{\"pay\": " +
			"{\"egress\": \"off\", \"allow\": \"api.bank.example:443\", \"deny\": \"\"}}`. `EGRESS_DENY` applies " +
			"to them too; `egress` is `EGRESS` if it is left out. A namespace that is not named has the policy of " +
			"its owner (`NAMESPACE_OWNER_SEPARATOR`), if that is named.",
		parse: namespacePolicies(),
	},
	{
		Name: "EGRESS_CONNECTIONS_PER_CALL", Default: "32",
		Meaning: "Most connections that one call may have open at a time. More wait until another is closed.",
		parse:   whole(1, maxConnections, func(c *Config) *int { return &c.Egress.Limits.PerCall }),
	},
	{
		Name: "EGRESS_CONNECTIONS", Default: "1024",
		Meaning: "Most connections that all calls together may have open at a time. One namespace (see " +
			"`NAMESPACE_OWNER_SEPARATOR`) has at most 7 of 8 of them, so that the others find some. More wait " +
			"until there is a place.",
		parse: whole(1, maxConnections, func(c *Config) *int { return &c.Egress.Limits.Total }),
	},
	{
		Name: "EGRESS_ATTEMPTS_PER_CALL", Default: "1000",
		Meaning: "Most connections that one call may ask for.",
		parse:   whole(1, 1_000_000_000, func(c *Config) *int { return &c.Egress.Limits.Attempts }),
	},
	{
		Name: "EGRESS_CONNECTION_BYTES", Default: "256mb",
		Meaning: "Most bytes that one connection may carry, both ways together.",
		parse:   size(kib, tib, func(c *Config) *int64 { return &c.Egress.Limits.Bytes }),
	},
	{
		Name: "EGRESS_CONNECT_TIMEOUT", Default: "5s",
		Meaning: "Longest time for lookup and connecting together.",
		parse:   duration(10*time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.Egress.Limits.Connect }),
	},
	{
		Name: "EGRESS_IDLE_TIMEOUT", Default: "1m",
		Meaning: "Longest time that a connection may carry no data.",
		parse:   duration(10*time.Millisecond, day, func(c *Config) *time.Duration { return &c.Egress.Limits.Idle }),
	},
	commonProxy("HTTPS_PROXY",
		"URL of the proxy that is the default of `EGRESS_PROXY`, and that the server itself uses for `NPM_REGISTRY`."),
	commonProxy("https_proxy", "As `HTTPS_PROXY`, which takes precedence."),
	commonProxy("HTTP_PROXY", "As `https_proxy`, which takes precedence."),
	commonProxy("http_proxy", "As `HTTP_PROXY`, which takes precedence."),
	commonExceptions("NO_PROXY", "Hosts, domains, addresses and ranges, separated by commas, that are reached "+
		"without the proxy; `*` is all. "+
		"Targets on this machine never use it."),
	commonExceptions("no_proxy", "As `NO_PROXY`, which takes precedence."),
	{
		Name: "EGRESS_PROXY", Default: "that of `HTTPS_PROXY` or `HTTP_PROXY`", secret: true,
		Meaning: "URL of the HTTP proxy that the connections of functions use (`http://` or `https://`, with user " +
			"and password if needed), or `off`. The server checks what functions may reach before it asks the " +
			"proxy.",
		parse:  upstreamProxy(),
		derive: func(c *Config, _ machine) string { return string(c.Egress.proxy) },
	},
	{
		Name: "EGRESS_PROXY_NAMES", Default: "false",
		Meaning: "`true` sends names to the proxy instead of the addresses that were checked. It is for servers " +
			"that cannot look up names of the Internet, and for proxies that allow by name. The proxy itself must " +
			"then keep functions from addresses inside.",
		parse: boolean(func(c *Config) *bool { return &c.Egress.proxyNames }),
	},
	{
		Name: "HTTP_KEEP_ALIVE", Default: "false",
		Meaning: "`true` lets the HTTP agents of functions use a connection for several requests of one call. The " +
			"connection still ends with the call, or when another of the call [waits](egress.md#waiting-for-a-place).",
		parse: booleanOr(func(c *Config) *bool { return &c.Egress.KeepAlive }),
	},
	{
		Name: "FUNCTIONS_USE_SSL_CERT_FILE", Default: "false",
		Meaning: "`true` makes functions trust the certificates in `SSL_CERT_FILE` instead of those that come with Node.js.",
		parse:   boolean(func(c *Config) *bool { return &c.Egress.UseCertFile }),
	},
	{
		Name: "SSL_CERT_FILE", Default: "none", derive: none,
		Meaning: "File with certificates in PEM for `FUNCTIONS_USE_SSL_CERT_FILE`.",
		parse:   text(func(c *Config) *string { return &c.Egress.CertFile }),
	},
	{
		Name: "NODE_EXTRA_CA_CERTS", Default: "none", derive: none,
		Meaning: "File with certificates in PEM that functions trust in addition to those of Node.js, or of " +
			"`SSL_CERT_FILE`.",
		parse: text(func(c *Config) *string { return &c.Egress.ExtraCertFile }),
	},
	{
		Name: "EGRESS_TLS_INSECURE", Default: "false",
		Meaning: "`true` lets functions accept any certificate: anybody on the way can read and change what they " +
			"send, passwords included. A function that asks for a check gets one.",
		parse: boolean(func(c *Config) *bool { return &c.Egress.TLSInsecure }),
	},
}
