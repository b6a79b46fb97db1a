package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/cpulimit"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/api"
	"github.com/backstage/functions/internal/store"
	"github.com/backstage/functions/internal/store/bolt"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/internal/store/redis"
)

// openStore opens the store that cfg names. Large reads of one in this process take tokens of work.
func openStore(
	ctx context.Context, cfg *config.Config, log *slog.Logger, work cpulimit.Limiter,
) (store.Store, error) {
	limits := storeLimits(cfg)
	switch cfg.Storage {
	case config.StorageRedis:
		s, err := redis.Open(ctx, redis.Options{
			Endpoint: string(cfg.RedisEndpoint), LogsEndpoint: string(cfg.LogsRedisEndpoint), KeyPrefix: cfg.RedisKeyPrefix,
			OwnerSeparator: cfg.OwnerSeparator,
			Name:           cfg.RedisVariable + " " + cfg.RedisEndpoint.String(),
			LogsName:       "LOGS_REDIS_ENDPOINT " + cfg.LogsRedisEndpoint.String(),
			TLS:            redis.TLS(cfg.RedisTLS), DialTimeout: cfg.RedisDialTimeout, Limits: limits, Logger: log,
		})
		if err != nil {
			return nil, redisError(cfg, err)
		}
		return s, nil
	case config.StorageInMemory:
		s := mem.New()
		s.Limits, s.OwnerSeparator = limits, cfg.OwnerSeparator
		return s, nil
	default:
		s, err := bolt.Open(cfg.DataDir)
		if errors.Is(err, bolt.ErrLocked) {
			return nil, fmt.Errorf("DATA_DIR: %w, such as another server, which has it for itself: stop that, or set another "+
				"DATA_DIR; servers that share functions need a Redis", err)
		}
		if err != nil {
			return nil, fmt.Errorf("DATA_DIR: %w", err)
		}
		if damage := s.Damage(); damage.Count > 0 {
			log.Warn("The code of stored functions does not match its hash, they are not run: put their code again, restore a "+
				"backup, or delete them",
				"count", damage.Count, "functions", damage.String())
		}
		s.Limits, s.OwnerSeparator, s.Reading = limits, cfg.OwnerSeparator, work
		return s, nil
	}
}

// storeLimits lets variables that are set one by one be as long together as those of one PUT. Whatever such a PUT can
// leave can be read, with room for what servers with other settings wrote.
func storeLimits(cfg *config.Config) function.Limits {
	return function.Limits{
		EnvBytes: cfg.BodyLimit, SourceBytes: max(cfg.CodeLimit, api.DefaultCodeLimit),
		RecordBytes: 8 * max(cfg.BodyLimit, cfg.CodeLimit, api.DefaultBodyLimit),
	}
}

// redisError names the variable that err is about, with its value except for passwords.
func redisError(cfg *config.Config, err error) error {
	switch {
	case errors.Is(err, redis.ErrCAFile):
		return fmt.Errorf("REDIS_CA_FILE: %w", err)
	case errors.Is(err, redis.ErrCertFile):
		return fmt.Errorf("REDIS_CERT_FILE and REDIS_KEY_FILE: %w", err)
	case errors.Is(err, redis.ErrLogsEndpoint):
		return fmt.Errorf("LOGS_REDIS_ENDPOINT: %w, got %q", err, cfg.LogsRedisEndpoint.String())
	}
	return fmt.Errorf("%s: %w, got %q", cfg.RedisVariable, err, cfg.RedisEndpoint.String())
}

// storePlace says where the store keeps its data.
func storePlace(cfg *config.Config) string {
	switch cfg.Storage {
	case config.StorageRedis:
		return " at " + cfg.RedisEndpoint.String()
	case config.StorageInMemory:
		return ", lost at the end"
	default:
		return " in " + filepath.Clean(cfg.DataDir)
	}
}
