package logs

import (
	"net/netip"
	"testing"
)

func TestRemoteAddrBelievesTrustedProxiesAlone(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
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
		{"a caller who poses as a proxy", "10.0.0.1:1", trusted, []string{"203.0.113.9, 10.9.9.9, 198.51.100.1"}, "198.51.100.1"},
		{"only proxies", "10.0.0.1:1", trusted, []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"nothing said", "10.0.0.1:1", trusted, []string{" "}, "10.0.0.1"},
		{"an empty place", "10.0.0.1:1", trusted, []string{"198.51.100.1,"}, "10.0.0.1"},
		{"no address", "10.0.0.1:1", trusted, []string{"198.51.100.1, unknown"}, "unknown"},
		{"a socket", "@", trusted, []string{"198.51.100.1"}, "@"},
	} {
		r := request()
		r.RemoteAddr, r.trusted = row.remote, row.trusted
		r.Header["X-Forwarded-For"] = row.forwarded
		if got := remoteAddr(r); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}
