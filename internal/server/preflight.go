package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/observe/logs"
	"github.com/backstage/functions/internal/observe/trace"
	"github.com/backstage/functions/internal/store/redis"
)

// configure reads the configuration and checks the files that it names. Nothing has started yet, so the error, a
// *config.LoadError, can contain the errors of all of them.
func configure(ctx context.Context, load func() (*config.Config, error)) (*config.Config, *nodeInstall, error) {
	cfg, err := load()
	if failed, ok := errors.AsType[*config.LoadError](err); ok {
		cfg = failed.Partial
	}
	if cfg == nil {
		return nil, nil, err
	}
	node, faults := preflight(ctx, cfg)
	if err = errors.Join(err, faults); err != nil {
		return nil, nil, &config.LoadError{Faults: err, Warnings: cfg.Warnings}
	}
	return cfg, node, nil
}

// preflight checks what variables name: formats, files and Node.js. It adds to the warnings of cfg.
func preflight(ctx context.Context, cfg *config.Config) (*nodeInstall, error) {
	var faults []error
	if tokens, err := logs.CheckFormat(cfg.AccessFormat); err != nil {
		faults = append(faults, fmt.Errorf("LOG_MONGAN_FORMAT: %w, got %q", err, cfg.AccessFormat))
	} else if tokens == 0 {
		cfg.Warnings = append(cfg.Warnings, fmt.Sprintf(
			"LOG_MONGAN_FORMAT=%q has no token such as :url, so all lines of the access log are the same", cfg.AccessFormat))
	}
	for _, err := range redis.TLS(cfg.RedisTLS).Faults() {
		faults = append(faults, redisError(cfg, err))
	}
	if _, err := readAuthorities(cfg); err != nil {
		faults = append(faults, err)
	}
	faults = append(faults, trace.CheckFiles(cfg.Environment))
	node, err := findNode(ctx, cfg)
	if err == nil {
		err = checkICU(ctx, cfg, node)
	}
	return node, errors.Join(append(faults, err)...)
}
