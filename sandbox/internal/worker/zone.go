package worker

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/backstage/functions/sandbox/internal/jail"
)

// ZoneData is the directory of the host's time zone database, which workers find at the same path: tzset(3). Without it
// Node.js before version 13 knows no zones, and no function can choose one.
const ZoneData = "/usr/share/zoneinfo"

// firstWithZones is the first major version of Node.js whose own tables of zones are as new as can be expected.
const firstWithZones = 13

// zoneMounts are what a jailed worker needs of it. A host without time zones has none to give.
func zoneMounts() []jail.Mount {
	if info, err := os.Stat(ZoneData); err != nil || !info.IsDir() {
		return nil
	}
	return []jail.Mount{{Source: ZoneData, Target: ZoneData, Dir: true}}
}

// zoneEnvironment is what Node.js must find in its environment when it starts. An old one is led to the tables of time
// zones beside the runner, which its Intl reads in place of those of its time (runner-js/icu/README.md).
func zoneEnvironment(cfg *Config, runner string) []string {
	environ := []string{}
	if cfg.TimeZone != "" {
		environ = append(environ, "TZ="+cfg.TimeZone)
	}
	if _, major, err := NodeVersion(context.Background(), cfg.Node); err == nil && major < firstWithZones {
		environ = append(environ, "ICU_TIMEZONE_FILES_DIR="+filepath.Join(runner, "icu"))
	}
	if cfg.Rollback { // the kernel writes to what glibc would register
		environ = append(environ, "GLIBC_TUNABLES=glibc.pthread.rseq=0")
		environ = append(environ, nearMemory(cfg, runner)...)
	}
	return environ
}

// nearMemory has Node.js begin with the library that puts V8's memory in one place, so that it takes few page tables
// (runner-js/native/near.c). It does without where that was not built, or is where LD_PRELOAD cannot name it.
func nearMemory(cfg *Config, runner string) []string {
	const library = "build/near.node"
	_, err := os.Stat(filepath.Join(filepath.Dir(cfg.Runner), library))
	if err != nil || strings.ContainsAny(runner, ": ") {
		return nil
	}
	return []string{"LD_PRELOAD=" + filepath.Join(runner, library)}
}
