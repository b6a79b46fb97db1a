package worker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/backstage/functions/sandbox/internal/jail"
)

// jailICU is where a jailed worker finds ICU's data.
const jailICU = "/icu"

// ICUFile is the name of the file with ICU's data that a Node.js binary takes in place of its own: icudt60l.dat for
// ICU 60 on a machine that is little-endian.
func ICUFile(ctx context.Context, binary string) (string, error) {
	out, err := ask(ctx, binary, "-p", "process.versions.icu")
	major, _, found := strings.Cut(strings.TrimSpace(string(out)), ".")
	if err != nil || !found {
		//nolint:errorlint // there may be none
		return "", fmt.Errorf("%s has no ICU: its version is %q (%v)", binary, out, err)
	}
	return "icudt" + major + "l.dat", nil
}

// icuDirectory is Config.ICUData if that has a file for the pool's Node.js, which would not start without one, and
// empty otherwise.
func (c *Config) icuDirectory(ctx context.Context) string {
	if c.ICUData == "" {
		return ""
	}
	name, err := ICUFile(ctx, c.Node)
	if err != nil {
		return ""
	}
	if _, err := os.Stat(filepath.Join(c.ICUData, name)); err != nil {
		return ""
	}
	return c.ICUData
}

// icuMounts are what a jailed worker needs of it.
func (c *Config) icuMounts() []jail.Mount {
	if c.ICUData == "" {
		return nil
	}
	return []jail.Mount{{Source: c.ICUData, Target: jailICU, Dir: true}}
}
