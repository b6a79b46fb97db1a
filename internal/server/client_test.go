package server

import "testing"

func TestClientsAreAddressesAndNetworks(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7":         "192.0.2.7",
		"::ffff:192.0.2.7":  "192.0.2.7",
		"2001:db8:1:2::3":   "2001:db8:1:2::/64",
		"2001:db8:1:2:f::4": "2001:db8:1:2::/64",
		"fe80::1%eth0":      "fe80::/64",
		"unknown":           "unknown",
	} {
		if got := clientOf(address); got != want {
			t.Errorf("%s is %s, want %s", address, got, want)
		}
	}
}
