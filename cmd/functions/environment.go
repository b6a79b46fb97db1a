package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/backstage/functions/internal/config"
)

// applyEnvironment hands on what OpenTelemetry's SDK reads from the environment by itself, and says what an operator should know of the
// variables. Nothing that reads the environment may have been started yet.
func applyEnvironment(cfg *config.Config, log *slog.Logger) error {
	for _, warning := range cfg.Warnings {
		log.Warn(warning)
	}
	for name, value := range cfg.Environment {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
