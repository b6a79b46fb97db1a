package trace

import (
	"slices"
	"testing"

	"github.com/backstage/functions/internal/config"
)

func TestEveryPropagatorCanBeConfigured(t *testing.T) {
	for name := range known {
		cfg, err := config.Load(func(variable string) (string, bool) {
			if variable == "OTEL_PROPAGATORS" {
				return name, true
			}
			return "", false
		}, nil)
		if err != nil || !slices.Contains(cfg.Trace.Propagators, name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
