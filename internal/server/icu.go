package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/sandbox/hostinfo"
)

// checkICU looks for the data of NODE_ICU_DATA. A runtime that finds no file there keeps its own data, which is a
// warning in cfg; if none finds one, it is an error.
func checkICU(ctx context.Context, cfg *config.Config, node *nodeInstall) error {
	if cfg.ICUData == "" {
		return nil
	}
	path, err := filepath.Abs(cfg.ICUData)
	if err != nil {
		return fmt.Errorf("NODE_ICU_DATA: %w", err)
	}
	cfg.ICUData = path
	var missing []error
	for _, runtime := range node.runtimes {
		name, err := hostinfo.ICUFile(ctx, runtime.Node)
		if err == nil {
			_, err = os.Stat(filepath.Join(path, name))
		}
		if err != nil {
			missing = append(missing, fmt.Errorf("NODE_ICU_DATA: %s finds no data: %w", runtime.Name, err))
		}
	}
	if len(missing) == len(node.runtimes) {
		return errors.Join(missing...)
	}
	for _, fault := range missing {
		cfg.Warnings = append(cfg.Warnings, fault.Error()+"; it keeps the data that is in it")
	}
	return nil
}
