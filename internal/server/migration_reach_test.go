package server

import (
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
}
