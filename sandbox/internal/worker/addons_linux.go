package worker

import (
	"fmt"
	"os"
	"path/filepath"
)

// zygoteAddon is where the addon of the fork server lies beside a runner.
func zygoteAddon(runner string) string { return addon(runner, "zygote.node") }

// loopAddon is where the addon lies that asks the event loop for work that is left.
func loopAddon(runner string) string { return addon(runner, "loop.node") }

func addon(runner, name string) string { return filepath.Join(filepath.Dir(runner), "build", name) }

// built is an error unless the addon at path has been built.
func built(path string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("its addon %s is not built", filepath.Base(path))
	}
	return nil
}
