package server

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/backstage/functions/internal/config"
)

// loader reads the configuration as often as it is asked to: from this environment, and from the file that it names as that is by then.
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
