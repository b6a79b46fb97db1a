package forwarded_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/backstage/functions/internal/httpd/forwarded"
)

var trusted = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}

func TestAddrBelievesTrustedProxiesAlone(t *testing.T) {
	for _, row := range []struct {
		name      string
		remote    string
		trusted   []netip.Prefix
		forwarded []string
		want      string
	}{
		{"nobody is trusted", "10.0.0.1:1", nil, []string{"198.51.100.1"}, "10.0.0.1"},
		{"no proxy", "192.0.2.7:1", trusted, nil, "192.0.2.7"},
		{"a stranger's word", "192.0.2.7:1", trusted, []string{"198.51.100.1"}, "192.0.2.7"},
		{"a proxy's word", "10.0.0.1:1", trusted, []string{"198.51.100.1"}, "198.51.100.1"},
		{"over IPv6", "[2001:db8::1]:1", trusted, []string{"198.51.100.1"}, "198.51.100.1"},
		{"IPv4 over IPv6", "[::ffff:10.0.0.1]:1", trusted, []string{"198.51.100.1"}, "198.51.100.1"},
		{"with a zone", "[2001:db8::1%eth0]:1", trusted, []string{"198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "10.0.0.1:1", trusted, []string{" 198.51.100.1 , 10.0.0.2"}, "198.51.100.1"},
		{"two header lines", "10.0.0.1:1", trusted, []string{"198.51.100.1", "10.0.0.2"}, "198.51.100.1"},
		{"a caller who lies to the proxy", "10.0.0.1:1", trusted, []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		{
			"a caller who poses as a proxy", "10.0.0.1:1", trusted,
			[]string{"203.0.113.9, 10.9.9.9, 198.51.100.1"},
			"198.51.100.1",
		},
		{"only proxies", "10.0.0.1:1", trusted, []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"nothing said", "10.0.0.1:1", trusted, []string{" "}, "10.0.0.1"},
		{"an empty place", "10.0.0.1:1", trusted, []string{"198.51.100.1,"}, "10.0.0.1"},
		{"no address", "10.0.0.1:1", trusted, []string{"198.51.100.1, unknown"}, "unknown"},
		{"a socket", "@", trusted, []string{"198.51.100.1"}, "@"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = row.remote
		r.Header["X-Forwarded-For"] = row.forwarded
		if got := forwarded.Addr(r, row.trusted); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

func TestHostAndSchemeAreThoseThatATrustedProxyTells(t *testing.T) {
	for _, row := range []struct {
		name, remote string
		trusted      []netip.Prefix
		header       http.Header
		want         string
	}{
		{"no proxy", "192.0.2.7:1", trusted, nil, "http://h:80"},
		{"a proxy that tells nothing", "10.0.0.1:1", trusted, nil, "http://h:80"},
		{"a proxy", "10.0.0.1:1", trusted, told("a.example", "https"), "https://a.example"},
		{"a caller who lies to the proxy", "10.0.0.1:1", trusted, told("x, a.example", "http , HTTPS"), "https://a.example"},
		{"a scheme that is none", "10.0.0.1:1", trusted, told(" a.example ", "gopher"), "http://a.example"},
		{"a stranger's word", "192.0.2.7:1", trusted, told("a.example", "https"), "http://h:80"},
		{"nobody is trusted", "10.0.0.1:1", nil, told("a.example", "https"), "http://h:80"},
		{"a path for a host", "10.0.0.1:1", trusted, told("x/admin?", "https"), "https://h:80"},
		{"a name and a password", "10.0.0.1:1", trusted, told("u:p@x", "https"), "https://h:80"},
		{"an empty host", "10.0.0.1:1", trusted, told("", "https"), "https://h:80"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr, r.Host, r.Header = row.remote, "h:80", row.header
		if got := forwarded.Scheme(r, row.trusted) + "://" + forwarded.Host(r, row.trusted); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.TLS = new(tls.ConnectionState)
	if got := forwarded.Scheme(r, nil); got != "https" {
		t.Errorf("over TLS: %q", got)
	}
}

func told(host, scheme string) http.Header {
	return http.Header{"X-Forwarded-Host": {host}, "X-Forwarded-Proto": {scheme}}
}
