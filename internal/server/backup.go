package server

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/store"
	"github.com/backstage/functions/internal/store/backup"
	"github.com/backstage/functions/internal/store/bolt"
)

// serveBackups lets functions backup copy an embedded store. A failure does not stop the server.
func serveBackups(cfg *config.Config, s store.Store, log *slog.Logger) (stop func() error) {
	embedded, ok := s.(*bolt.Store)
	if !ok {
		return func() error { return nil }
	}
	stop, err := backup.Serve(cfg.DataDir, embedded, log)
	if err != nil {
		log.Warn("Backups cannot be made while this server runs", "error", err)
		return func() error { return nil }
	}
	return stop
}

// CopyStore writes a copy of the embedded store in dir to w: the server that has it open makes it, if one runs.
func CopyStore(ctx context.Context, dir string, w io.Writer) error {
	err := backup.Fetch(ctx, dir, w)
	if errors.Is(err, backup.ErrNoServer) {
		return bolt.CopyFile(dir, w)
	}
	return err
}
