package server

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/config"
)

// Who starts a server that answers this machine alone learns how others are served.
func TestTheLogSaysWhatServesOthers(t *testing.T) {
	for _, row := range []struct {
		host string
		says bool
	}{{"", true}, {"0.0.0.0", false}} {
		cfg, err := config.Load(func(name string) (string, bool) {
			if name == "HOST" && row.host != "" {
				return row.host, true
			}
			return "", false
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		logReach(cfg, slog.New(slog.NewTextHandler(&log, nil)))
		for _, text := range []string{"AUTH=on", "HOST=0.0.0.0"} {
			if strings.Contains(log.String(), text) != row.says {
				t.Errorf("with HOST %q it says %q", row.host, log.String())
			}
		}
	}
}
