package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

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
	if options.KeysetFile != "" || options.Dir != "" {
		preventCoreDumps(s.log())
	}
	return inBackground(ctx, s.secrets.Run), nil
}

// keysetError says what to do about a file of a keyset that cannot be read.
func keysetError(cfg *config.Config, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("SECRETS_KEYSET_FILE: %w: functions secrets keygen makes it", err)
	}
	return fmt.Errorf("SECRETS_KEYSET_FILE: %w, got %q", err, cfg.SecretsKeysetFile)
}
