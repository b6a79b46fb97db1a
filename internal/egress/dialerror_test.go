package egress

import (
	"errors"
	"testing"
	"time"
)

func TestRulesNameAddresses(t *testing.T) {
	rules, err := ParseRules("hooks.example, *.wild.example:443, 10.0.0.0/8, [::1]:80")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"hooks.example:80": true, "HOOKS.example:443": true, "hooks.example.:1": true, "a.hooks.example:80": false,
		"a.wild.example:443": true, "a.wild.example:80": false, "wild.example:443": false, "10.1.2.3:80": true,
		"11.1.2.3:80": false, "[::1]:80": true, "[::1]:81": false, "hooks.example": false, "0x0a000001:80": false,
	} {
		if got := Names(rules, address); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	if Names(nil, "hooks.example:80") {
		t.Error("no rule names a host")
	}
}

// TestDialErrorsHideWhatFunctionsAreNotTold has a name that leads to this machine.
func TestDialErrorsHideWhatFunctionsAreNotTold(t *testing.T) {
	d := NewDialer(Options{Policies: NewPolicies(Policy{Mode: Public}, nil), Limits: Limits{Connect: time.Minute}})
	for address, want := range map[string]string{
		"localhost:1": "ENOTFOUND", "127.0.0.1:1": "EGRESS_DENIED (loopback)", "no target": "EGRESS_DENIED (bad_host)",
	} {
		_, err := d.Dial(t.Context(), "ns", address)
		var failed *DialError
		if !errors.As(err, &failed) || failed.Code() != want || !failed.Denied() {
			t.Errorf("%s: %v", address, err)
		}
	}
}
