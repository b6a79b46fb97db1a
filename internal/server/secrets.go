package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/secrets"
)

// openSecrets reads the keys of secrets.
func (s *server) openSecrets(ctx context.Context) (stop func() error, err error) {
	options := secrets.Options{
		Store: s.store, KeysetFile: s.cfg.SecretsKeysetFile, Dir: s.cfg.SecretsDir, Log: s.log(),
		Failed: s.measures.SecretFailed,
	}
	s.secrets, err = secrets.New(options)
	if errors.Is(err, fs.ErrNotExist) && s.cfg.KeysetIsDefault() {
		options.KeysetFile = ""
		s.secrets, err = secrets.New(options)
	}
	if err != nil {
		return nil, keysetError(s.cfg, err)
	}
	warnOfSecretsDir(options.Dir, s.log())
	if options.KeysetFile != "" || options.Dir != "" {
		preventCoreDumps(s.log())
	}
	return inBackground(ctx, s.secrets.Run), nil
}

// warnOfSecretsDir tells of a directory that is not there: it may come later, or its path is mistyped.
func warnOfSecretsDir(dir string, log *slog.Logger) {
	if dir == "" {
		return
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		log.Warn("SECRETS_DIR is not there yet: functions get no secrets of it until it is", "dir", dir)
	case err == nil && !info.IsDir():
		log.Warn("SECRETS_DIR is not a directory: functions get no secrets of it", "dir", dir)
	}
}

// keysetError says what to do about a file of a keyset that cannot be read.
func keysetError(cfg *config.Config, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("SECRETS_KEYSET_FILE: %w: functions secrets keygen makes it", err)
	}
	return fmt.Errorf("SECRETS_KEYSET_FILE: %w, got %q", err, cfg.SecretsKeysetFile)
}
