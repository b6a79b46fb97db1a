package egress

import (
	"context"
	"errors"
	"net/netip"
	"testing"
)

func TestPoliciesAreCheckedWithoutAConnection(t *testing.T) {
	allow, err := ParseRules("10.1.0.0/16,inner.example:81")
	if err != nil {
		t.Fatal(err)
	}
	p := NewPolicies(Policy{Mode: Public, Allow: allow}, map[string]Policy{
		"shut": {Mode: Off}, "some": {Mode: Off, Allow: allow[1:]},
	})
	broken := errors.New("no such host")
	lookup := func(_ context.Context, name string) ([]netip.Addr, error) {
		switch name {
		case "inner.example":
			return []netip.Addr{netip.MustParseAddr("192.168.0.1")}, nil
		case "both.example":
			return []netip.Addr{netip.MustParseAddr("192.168.0.1"), netip.MustParseAddr("8.8.8.8")}, nil
		case "unknown.example":
			return nil, nil
		}
		return nil, broken
	}
	for _, row := range []struct {
		namespace, host string
		port            uint16
		want            Reason
		err             error
	}{
		{"ns", "8.8.8.8", 443, "", nil},
		{"ns", "8.8.8.8", 25, ReasonPort, nil},
		{"ns", "8.8.8.8", 0, "", nil},
		{"ns", "10.0.0.1", 0, ReasonPrivate, nil},
		{"ns", "10.1.0.1", 0, "", nil},
		{"ns", "10.0.0.1", 443, ReasonPrivate, nil},
		{"ns", "10.1.0.1", 443, "", nil},
		{"ns", "::1", 443, ReasonLoopback, nil},
		{"ns", "169.254.169.254", 80, ReasonMetadata, nil},
		{"ns", "0x7f.1", 80, ReasonHost, nil},
		{"ns", "inner.example", 80, ReasonPrivate, nil},
		{"ns", "inner.example", 81, "", nil},
		{"ns", "inner.example", 0, "", nil},
		{"ns", "both.example", 80, "", nil},
		{"ns", "unknown.example", 80, "", nil},
		{"ns", "none.example", 80, "", broken},
		{"shut", "8.8.8.8", 443, ReasonOff, nil},
		{"shut", "none.example", 80, ReasonOff, nil},
		{"shut", "8.8.8.8", 0, ReasonOff, nil},
		{"shut", "none.example", 0, ReasonOff, nil},
		{"some", "inner.example", 0, "", nil},
		{"some", "inner.example", 80, ReasonOff, nil},
		{"some", "both.example", 0, ReasonOff, nil},
		{"other-ns", "8.8.8.8", 443, "", nil},
	} {
		got, err := p.Check(t.Context(), row.namespace, row.namespace, row.host, row.port, lookup)
		if got != row.want || !errors.Is(err, row.err) {
			t.Errorf("%s: %s port %d: %q, %v, want %q, %v", row.namespace, row.host, row.port, got, err, row.want, row.err)
		}
	}
}
