package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/secrets"
	"github.com/backstage/functions/internal/store/bolt"
)

// SecretsOptions are those of the commands about the keys of secrets.
type SecretsOptions struct {
	// Environ are the variables of the environment, as os.Environ has them.
	Environ []string
	// Out gets what the command has to say.
	Out io.Writer
	// File is the file of the keyset; empty for that of SECRETS_KEYSET_FILE.
	File string
	// IfMissing has MakeKeyset do nothing where the file is there.
	IfMissing bool
	// Prepare has RotateKeyset make a key that servers can read with, and no more.
	Prepare bool
}

// MakeKeyset makes a file with a new key. It replaces none.
func MakeKeyset(o SecretsOptions) error {
	path, _, err := keysetOf(o)
	if err != nil {
		return err
	}
	k, err := secrets.CreateKeyset(path)
	switch {
	case errors.Is(err, fs.ErrExist) && o.IfMissing:
		return nil
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s is there already: secrets that were encrypted with its keys are lost without it. "+
			"functions secrets rotate gives it another key", path)
	case err != nil:
		return err
	}
	_, err = fmt.Fprintf(o.Out, "The file %s has the key %d.\n"+
		"Keep a copy of it apart from backups of the store: without it secrets cannot be decrypted.\n", path, k.Primary())
	return err
}

// RotateKeyset gives a keyset another key that encrypts, and encrypts all secrets with it. A server that has the store
// open does the latter itself.
func RotateKeyset(ctx context.Context, o SecretsOptions) error {
	path, cfg, err := keysetOf(o)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	k, err := secrets.ReadKeyset(path, log)
	if err != nil {
		return keysetError(cfg, err)
	}
	if o.Prepare {
		return prepareKeyset(path, k, o.Out)
	}
	next, err := k.Rotated()
	if err != nil {
		return err
	}
	if err := secrets.ReplaceKeyset(path, next); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "New values are encrypted with the key %d. Servers read %s again within seconds.\n",
		next.Primary(), path)
	if err != nil {
		return err
	}
	return resealStore(ctx, cfg, next, log, o.Out)
}

func prepareKeyset(path string, k *secrets.Keyset, out io.Writer) error {
	next, err := k.Prepared()
	if err != nil {
		return err
	}
	if err := secrets.ReplaceKeyset(path, next); err != nil {
		return err
	}
	ids := next.IDs()
	_, err = fmt.Fprintf(out, "The file %s has the key %d, too, which encrypts nothing yet.\n"+
		"Give the file to all servers, and run functions secrets rotate then.\n", path, ids[len(ids)-1])
	return err
}

// resealStore encrypts what is in the store of cfg with the primary key of k.
func resealStore(
	ctx context.Context, cfg *config.Config, k *secrets.Keyset, log *slog.Logger, out io.Writer,
) (err error) {
	if cfg.Storage == config.StorageInMemory {
		_, err := fmt.Fprintln(out, "The server encrypts the secrets in its memory anew.")
		return err
	}
	opened, err := openStore(ctx, cfg, log, nil)
	if errors.Is(err, bolt.ErrLocked) {
		_, err := fmt.Fprintln(out, "The server that runs encrypts all secrets anew: its log says when that is done.")
		return err
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	done, err := secrets.Reseal(ctx, opened, k)
	if err != nil {
		return fmt.Errorf("not all secrets are encrypted anew, run the command again: %w", err)
	}
	_, err = fmt.Fprintf(out, "%d secrets are there, %d were encrypted with the new key, %d cannot be decrypted.\n",
		done.Secrets, done.Changed, done.Damaged)
	return err
}

// keysetOf is the file that the command is about, and the configuration that a server would have.
func keysetOf(o SecretsOptions) (string, *config.Config, error) {
	cfg, err := loader(o.Environ)()
	if err != nil {
		return "", nil, err
	}
	if o.File != "" {
		cfg.SecretsKeysetFile = o.File
	}
	return cfg.SecretsKeysetFile, cfg, nil
}
