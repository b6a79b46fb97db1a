package server

import (
	"strings"
	"testing"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/egress"
)

func TestWhatWouldLetFunctionsReachAHostIsTold(t *testing.T) {
	deny, err := egress.ParseRules("10.9.0.0/16")
	if err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{}
	cfg.Egress.Policy = egress.Policy{Mode: egress.Public, Deny: deny}
	cfg.Egress.Namespaces = map[string]egress.Policy{"shut": {Mode: egress.Off}}
	reach := (&migrationCheck{cfg: cfg, options: MigrationOptions{NoDNS: true}}).reach()
	for _, row := range []struct {
		namespace, host string
		told            bool
		allow           string
	}{
		{"ns", "8.8.8.8", false, ""},
		{"ns", "name.example", false, ""},
		{"ns", "10.0.0.1", true, "10.0.0.1:443"},
		{"ns", "fd00::1", true, "[fd00::1]:443"},
		{"ns", "10.9.0.1", true, ""},
		{"ns", "0x7f.1", true, ""},
		{"shut", "8.8.8.8", true, ""},
	} {
		why, allow := reach(t.Context(), row.namespace, row.host, 443)
		if (why != "") != row.told || allow != row.allow {
			t.Errorf("%s of %s: %q, %q", row.host, row.namespace, why, allow)
		}
	}
	for host, want := range map[string]string{
		"8.8.8.8":  "",
		"10.0.0.1": "EGRESS_ALLOW=10.0.0.1:PORT allows it; put its port in place of PORT", "fd00::1": "EGRESS_ALLOW=[fd00::1]:PORT allows it",
		"10.9.0.1": "EGRESS_ALLOW alone does not change that", "inner": "",
	} {
		why, allow := reach(t.Context(), "ns", host, 0)
		if (why == "") != (want == "") || !strings.Contains(why, want) || allow != "" {
			t.Errorf("%s without a port: %q, %q", host, why, allow)
		}
	}
}
