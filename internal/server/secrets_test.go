package server

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/store/mem"
)

func TestADirectoryOfSecretsThatIsNotThereIsToldOf(t *testing.T) {
	there := t.TempDir()
	file := filepath.Join(there, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		"": "", there: "", filepath.Join(there, "nope"): "SECRETS_DIR is not there yet", file: "SECRETS_DIR is not a directory",
	} {
		var log strings.Builder
		cfg := &config.Config{DataDir: there, SecretsKeysetFile: filepath.Join(there, "secrets.keyset"), SecretsDir: dir}
		s := &server{
			cfg: cfg, store: mem.New(), measures: newMetrics(cfg, Build{}), out: &outputs{app: slog.New(slog.NewTextHandler(&log, nil))},
		}
		stop, err := s.openSecrets(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_ = stop()
		if got := log.String(); want == "" && strings.Contains(got, "SECRETS_DIR") || !strings.Contains(got, want) {
			t.Errorf("%s: the log says %s", dir, got)
		}
	}
}
