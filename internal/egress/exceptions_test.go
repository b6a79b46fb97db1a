package egress

import (
	"net/netip"
	"testing"
)

func TestExceptionsAreReachedWithoutTheProxy(t *testing.T) {
	for _, row := range []struct {
		exceptions, target, addr string
		isFor                    bool
	}{
		{"", "a.example:80", "8.8.8.8", true},
		{"", "a.example:80", "", true},
		{"", "localhost:80", "", false},
		{"", "a.example:80", "127.0.0.1", false}, // it means this machine, not the proxy's
		{"", "[::1]:80", "::1", false},
		{"a.example", "a.example:80", "8.8.8.8", false},
		{"a.example", "b.a.example:80", "8.8.8.8", false},
		{".a.example", "a.example:80", "8.8.8.8", true},
		{".a.example", "b.a.example:80", "8.8.8.8", false},
		{"a.example:443", "a.example:80", "8.8.8.8", true},
		{"x, 10.0.0.0/8", "a.example:80", "10.1.2.3", false}, // as it is its address
		{"10.1.2.3", "10.1.2.3:80", "10.1.2.3", false},
		{"10.1.2.3", "a.example:80", "10.1.2.4", true},
		{"*", "a.example:80", "8.8.8.8", false},
	} {
		up, err := NewUpstream("http://proxy", row.exceptions)
		if err != nil {
			t.Fatal(err)
		}
		target, err := parseTarget(row.target)
		if err != nil {
			t.Fatal(err)
		}
		addr, _ := netip.ParseAddr(row.addr) // or none
		if got := up.isFor(target, addr); got != row.isFor {
			t.Errorf("NO_PROXY=%s, %s at %s: through the proxy %v", row.exceptions, row.target, row.addr, got)
		}
	}
}
