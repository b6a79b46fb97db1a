package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/migration"
	"github.com/backstage/functions/internal/store"
	"github.com/backstage/functions/internal/store/bolt"
	"github.com/backstage/functions/internal/store/redis"
)

var _ migration.Source = (*redis.Store)(nil)

// migrationSource opens what a check of a migration reads: the Redis of Backstage Functions, or a copy of the embedded
// store, which a server may have open.
func migrationSource(
	ctx context.Context, cfg *config.Config, log *slog.Logger,
) (source migration.Source, stop func() error, err error) {
	switch cfg.Storage {
	case config.StorageRedis:
		opened, err := openStore(ctx, cfg, log, nil)
		if err != nil {
			return nil, nil, err
		}
		if err := opened.Ping(ctx); err != nil {
			return nil, nil, errors.Join(err, opened.Close())
		}
		return opened.(*redis.Store), opened.Close, nil
	case config.StorageInMemory:
		return nil, nil, errors.New("check-migration: STORAGE is inmemory, so nothing is stored: set REDIS_ENDPOINT, " +
			"DBAAS_SENTINEL_ENDPOINT or STORAGE=redis to check the Redis of Backstage Functions")
	}
	return copiedStore(ctx, cfg, log)
}

// copiedStore opens a copy of the embedded store in a directory that stop removes.
func copiedStore(
	ctx context.Context, cfg *config.Config, log *slog.Logger,
) (source migration.Source, stop func() error, err error) {
	dir, err := os.MkdirTemp("", "check-migration-")
	if err != nil {
		return nil, nil, err
	}
	remove := func() error { return os.RemoveAll(dir) }
	if err := copyStoreInto(ctx, cfg.DataDir, dir); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("check-migration: there is no store in DATA_DIR %s: set it to the server's, or set "+
				"REDIS_ENDPOINT, DBAAS_SENTINEL_ENDPOINT or STORAGE=redis to check the Redis of Backstage Functions", cfg.DataDir)
		}
		return nil, nil, errors.Join(err, remove())
	}
	copied := *cfg
	copied.DataDir = dir
	opened, err := openStore(ctx, &copied, log, nil)
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	return listed{opened}, func() error { return errors.Join(opened.Close(), remove()) }, nil
}

func copyStoreInto(ctx context.Context, from, to string) error {
	file, err := os.OpenFile(filepath.Join(to, bolt.FileName), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(CopyStore(ctx, from, file), file.Close())
}

// listed is a store that Backstage Functions does not write to: its functions are those that it lists.
type listed struct{ store.Store }

// walkedAtOnce is how many functions Walk asks for at a time.
const walkedAtOnce = 1000

// Walk implements migration.Source. Functions whose code is damaged are left out: opening the store has told of them.
func (s listed) Walk(ctx context.Context, visit func(*function.Stored) error) error {
	for page := 1; ; page++ {
		found, err := s.List(ctx, function.Query{Page: page, PerPage: walkedAtOnce})
		if err != nil {
			return err
		}
		for _, ref := range found.Items {
			if err := s.visit(ctx, ref, visit); err != nil {
				return err
			}
		}
		if len(found.Items) < walkedAtOnce {
			return nil
		}
	}
}

func (s listed) visit(ctx context.Context, ref function.Ref, visit func(*function.Stored) error) error {
	stored := &function.Stored{Ref: ref}
	f, err := s.Get(ctx, ref)
	switch {
	case errors.Is(err, function.ErrDamaged):
		return nil
	case err == nil:
		stored.Function, stored.Code = f, f.Code
	case !errors.Is(err, function.ErrRecordTooLarge):
		return err
	}
	return visit(stored)
}
