package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/net/http/httpproxy"

	"github.com/backstage/functions/internal/egress"
)

// proxyOff is the value of EGRESS_PROXY for none.
const proxyOff = "off"

// maxCommon is the most bytes of a variable that other programs read too.
const maxCommon = 64 << 10

// commonProxy is a variable that other programs read too. A value that this server cannot use is not an error.
func commonProxy(name, meaning string) Variable {
	p := common(func(c *Config, text string) error {
		if _, err := egress.NewUpstream(text, ""); err != nil {
			return noticef("has no effect: it %v", err)
		}
		if c.Egress.proxy == "" {
			c.Egress.proxy = Secret(text)
		}
		return nil
	}, "http://h:1", "https://u:p@h", "h:3128")
	p.warned = []string{"socks5://h:1", "http://", "http://h:0"}
	return Variable{Name: name, Default: "none", derive: none, secret: true, Meaning: meaning, parse: p}
}

// commonExceptions is a variable with targets that are reached without a proxy.
func commonExceptions(name, meaning string) Variable {
	p := common(func(c *Config, text string) error {
		if c.Egress.exceptions == "" {
			c.Egress.exceptions = text
		}
		return nil
	}, "*", "a.example,.b.example,10.0.0.0/8")
	return Variable{Name: name, Default: "none", derive: none, Meaning: meaning, parse: p}
}

// common reads a value that any program could have written.
func common(keep func(*Config, string) error, within ...string) parser {
	return past(func(c *Config, text string) error {
		if len(text) > maxCommon || strings.ContainsFunc(text, unicode.IsControl) {
			return errors.New("must be one line of 64 KiB at most")
		}
		return keep(c, text)
	}, within, []string{"http://h\n", strings.Repeat("h", maxCommon+1)})
}

// upstreamProxy reads EGRESS_PROXY. It depends on the variables before it.
func upstreamProxy() parser {
	return past(func(c *Config, text string) error {
		if strings.EqualFold(text, proxyOff) {
			return nil
		}
		up, err := egress.NewUpstream(text, c.Egress.exceptions)
		if err != nil {
			return fmt.Errorf("%w, or %s", err, proxyOff)
		}
		c.Egress.Upstream = up
		return nil
	}, []string{proxyOff, "OFF", "http://h:1", "https://u:p@h/", "h:3128"},
		[]string{"socks5://h:1", "http://", "http://h:0", "http://h/p", "http://h?x", "http://h:x", "ftp://h", "http://a b"})
}

// Proxy returns what chooses the proxy for the server's own requests, nil for none: that of HTTPS_PROXY or one of its
// other names, but not for NO_PROXY and not for this machine.
func (c *Config) Proxy() func(*url.URL) (*url.URL, error) {
	proxy := string(c.Egress.proxy)
	return (&httpproxy.Config{HTTPProxy: proxy, HTTPSProxy: proxy, NoProxy: c.Egress.exceptions}).ProxyFunc()
}
