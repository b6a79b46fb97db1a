package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/observe/logs"
	app "github.com/backstage/functions/internal/server"
	"github.com/backstage/functions/internal/store/bolt"
)

func newBackup() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the embedded store, also while the server runs; - is standard output",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return errors.New("usage: functions backup FILE; - is standard output")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runBackup(cmd.Context(), args[0], cmd.OutOrStdout())
		},
	}
}

// runBackup copies the embedded store of the server that has the same environment, running or not, to that file, or to
// out for "-".
func runBackup(ctx context.Context, file string, out io.Writer) error {
	cfg, err := config.Load(os.LookupEnv, os.Environ())
	if err != nil {
		return err
	}
	switch cfg.Storage {
	case config.StorageRedis:
		return errors.New("backup: functions are in Redis: back them up as Redis is, with redis-cli --rdb FILE or a copy " +
			"of its append-only file")
	case config.StorageInMemory:
		return errors.New("backup: STORAGE is inmemory: there is no file to copy")
	}
	if file == "-" {
		return app.CopyStore(ctx, cfg.DataDir, out)
	}
	damage, err := backupTo(ctx, cfg.DataDir, file)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	text := "The store is copied to " + file
	if damage.Count > 0 {
		text += fmt.Sprintf("\nIn the store and in the copy the code of %d functions does not match its hash: %s.\n"+
			"Keep older copies, and put their code again.", damage.Count, damage)
	}
	_, err = fmt.Fprintln(out, logs.Plain(text))
	return err
}

// backupTo creates the file path once the copy is complete and checked. It replaces no file.
func backupTo(ctx context.Context, dir, path string) (damage bolt.Damage, err error) {
	if _, err := os.Lstat(path); err == nil {
		return damage, fmt.Errorf("%s is there already: name another file", path)
	}
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		return damage, fmt.Errorf("the directory %s is not there: make it, or name a file in another one", filepath.Dir(path))
	}
	part, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-*")
	if err != nil {
		return damage, err
	}
	defer func() { err = errors.Join(err, os.Remove(part.Name())) }()
	err = app.CopyStore(ctx, dir, part)
	if err == nil {
		err = part.Sync()
	}
	if err = errors.Join(err, part.Close()); err != nil {
		return damage, err
	}
	if damage, err = bolt.CheckFile(part.Name()); err != nil {
		return damage, err
	}
	return damage, os.Link(part.Name(), path) // unlike a rename it never replaces a file
}
