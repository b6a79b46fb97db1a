package config

import (
	"net/url"
	"strings"
	"testing"
)

func TestTheProxyIsThatOfOtherProgramsUnlessItIsNamed(t *testing.T) {
	for settings, want := range map[string]string{
		"HTTPS_PROXY=http://a:1": "http://a:1", "https_proxy=http://a:1": "http://a:1", "HTTP_PROXY=a:1": "http://a:1", "http_proxy=a": "http://a:80",
		"HTTPS_PROXY=https://a|https_proxy=http://b|HTTP_PROXY=http://c": "https://a:443",
		"HTTP_PROXY=http://c|https_proxy=http://b":                       "http://b:80",
		"HTTPS_PROXY=http://a|EGRESS_PROXY=http://b:2":                   "http://b:2",
		"HTTPS_PROXY=http://a|EGRESS_PROXY=off":                          "",
		"HTTPS_PROXY=socks5://a:1|HTTP_PROXY=http://c":                   "http://c:80",
		"NO_PROXY=*": "",
	} {
		c := mustLoad(t, strings.Split(settings, "|")...)
		got := ""
		if c.Egress.Upstream != nil {
			got = c.Egress.Upstream.String()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", settings, got, want)
		}
		if names := c.Egress.Upstream != nil && c.Egress.Upstream.Names; names {
			t.Errorf("%s: names are sent though nobody said so", settings)
		}
	}
	if c := mustLoad(t, "EGRESS_PROXY=http://a", "EGRESS_PROXY_NAMES=true"); !c.Egress.Upstream.Names {
		t.Error("EGRESS_PROXY_NAMES has no effect")
	}
}

func TestTheServerUsesTheProxyOfOtherPrograms(t *testing.T) {
	c := mustLoad(t, "HTTPS_PROXY=http://user@a:1", "EGRESS_PROXY=http://b:2", "NO_PROXY=.inner")
	for address, want := range map[string]string{
		"https://npm.example/x": "http://user@a:1", "http://npm.example/x": "http://user@a:1",
		"https://npm.inner/x": "", "http://127.0.0.1/x": "",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if proxy, err := c.Proxy()(u); err != nil {
			t.Error(err)
		} else if proxy != nil {
			got = proxy.String()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", address, got, want)
		}
	}
}

func TestThePasswordOfAProxyIsNotShown(t *testing.T) {
	for _, name := range []string{"EGRESS_PROXY", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		for _, value := range []string{"http://user:hunter2@h:1", "socks5://user:hunter2@h:1", "user:hunter2@h:x", "http://hunter2@h/x"} {
			c, err := from(name + "=" + value)
			text := ""
			if err != nil {
				text = err.Error()
			} else {
				text = c.String() + strings.Join(c.Warnings, "\n")
			}
			if strings.Contains(text, "hunter2") {
				t.Errorf("%s=%s: %s", name, value, text)
			}
		}
	}
}
