package server

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/backstage/functions/internal/config"
)

// loader reads the configuration whenever it is asked to: from this environment, and from the current content of the
// file that it names.
func loader(environ []string) func() (*config.Config, error) {
	values := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
	}
	lookup := func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
	return func() (*config.Config, error) { return config.Load(lookup, environ) }
}

// applyEnvironment sets what OpenTelemetry's SDK reads from the environment by itself, and logs warnings about
// variables. Nothing that reads the environment may have started yet.
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
