package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// withFile loads a configuration from lines NAME=value of the environment and from a file of text.
func withFile(t *testing.T, text string, environ ...string) (*Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "functions.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	environ = append(environ, "CONFIG_FILE="+path)
	return loadBoth(func(name string) (string, bool) {
		for _, entry := range environ {
			if value, ok := strings.CutPrefix(entry, name+"="); ok {
				return value, true
			}
		}
		return "", false
	}, environ, testMachine)
}

func TestFileGivesWhatTheEnvironmentDoesNot(t *testing.T) {
	c, err := withFile(t, "\n# comment\nPOOL_SIZE=3\r\n  POOL_PREWARMED = 1 \nEGRESS_NAMESPACES={\"a\":{\"egress\":\"off\"}}\n"+
		"LOG_LEVEL='debug'\nREDIS_KEY_PREFIX=\"a=b #c\"\nEXPOSE_ENV_A=file\nEXPOSE_ENV_B=file\nPORT=1\nQUEUE_SIZE=5\nEXPOSE_ENV_C=#fff\nEXPOSE_ENV_D='say \"a\"'\nDATA_DIR=", "PORT=2", "EXPOSE_ENV_A=env",
		"QUEUE_SIZE=5", "STORAGE=")
	if err != nil {
		t.Fatal(err)
	}
	env, err := c.ExposeEnv.MarshalJSON()
	if c.PoolSize != 3 || c.PoolPrewarmed != 1 || c.LogLevel != "debug" || c.RedisKeyPrefix != "a=b #c" || c.Port != 2 || len(c.Egress.Namespaces) != 1 ||
		c.DataDir != "./data" || err != nil || string(env) != `{"A":"env","B":"file","C":"#fff","D":"say \"a\""}` {
		t.Errorf("%v, exposed %s", c, env)
	}
	want := []string{
		"EXPOSE_ENV_A in CONFIG_FILE has no effect: the environment sets it too and takes precedence",
		"PORT in CONFIG_FILE has no effect: the environment sets it too and takes precedence",
	}
	if !slices.Equal(c.Warnings, want) {
		t.Errorf("warnings %q", c.Warnings)
	}
}

func TestFaultsOfTheFileNameTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"EGRES=off":                  `: line 1 sets "EGRES", which is not a variable of this server: did you mean "EGRESS"?`,
		"\nexport PORT=1":            `: line 2 sets "export PORT", which is not a variable of this server`,
		"TMPDIR=/x":                  `: line 1 sets "TMPDIR", which is not a variable of this server`,
		"PORT":                       ": line 1 must be NAME=value",
		"=1":                         ": line 1 must be NAME=value",
		"PORT=1\nPORT=1":             ": line 2 sets PORT a second time",
		"CONFIG_FILE=/x":             ": line 1 sets CONFIG_FILE, which names this file",
		"EXPOSE_ENV_A=foo # bar":     ": line 1 sets EXPOSE_ENV_A to a value that holds a # after a space: put quotes around the whole value",
		"PORT=1\t#x":                 ": line 1 sets PORT to a value that holds a # after a space",
		"PORT= # none":               ": line 1 sets PORT to a value that holds a # after a space",
		"PORT=\"1\" # one":           ": line 1 sets PORT to a value that goes on after the closing quote",
		"EXPOSE_ENV_A='a'b'":         ": line 1 sets EXPOSE_ENV_A to a value that goes on after the closing quote",
		"EXPOSE_ENV_A=\"a":           ": line 1 sets EXPOSE_ENV_A to a value that has no closing quote",
		"EXPOSE_ENV_=1":              `: line 1 sets "EXPOSE_ENV_"`,
		strings.Repeat("#", 1<<20+1): " is larger than 1mb",
	} {
		if _, err := withFile(t, text); err == nil || !strings.HasPrefix(err.Error(), "CONFIG_FILE: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%.50q: %v, want %s", text, err, want)
		}
	}
	_, err := withFile(t, "EGRES=off\nLOG_APP_FORMAT=json\nPOOL_SIZE=x", "PORT=y", "POOL_SIZ=3")
	for _, want := range []string{"EGRES", "\nPOOL_SIZE: ", "\nPORT: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %s among %v", want, err)
		}
	}
	if failed, ok := errors.AsType[*LoadError](err); !ok || failed.Partial.LogAppFormat != LogAppJSON || len(failed.Warnings) != 1 {
		t.Errorf("%+v", failed)
	}
	if _, err := withFile(t, "POOL_SIZE=x"); err == nil || !strings.HasPrefix(err.Error(), "POOL_SIZE: must be") {
		t.Errorf("%v", err)
	}
}

func TestWhatIsNoFileIsRefused(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, t.TempDir(), "/dev/zero", filepath.Join(t.TempDir(), "none")} {
		_, err := loadBoth(func(name string) (string, bool) { return path, name == "CONFIG_FILE" }, nil, testMachine)
		if err == nil || !strings.HasPrefix(err.Error(), "CONFIG_FILE: ") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestChangesAreNamed(t *testing.T) {
	before := mustLoad(t, "EGRESS=off", "POOL_SIZE=4", "PORT=1", "SENTRY_DSN=https://a@h/1", "EXPOSE_ENV_A=1", "EXPOSE_ENV_B=1")
	after := mustLoad(t, "EGRESS=off", "POOL_SIZE=5", "EGRESS_DENY=a", "LOG_LEVEL=debug", "SENTRY_DSN=https://b@h/1", "EXPOSE_ENV_A=2", "EXPOSE_ENV_B=1")
	live, restart := before.Changes(after)
	if got := strings.Join(live, " "); got != "EGRESS_DENY LOG_LEVEL" {
		t.Errorf("live %s", got)
	}
	if got := strings.Join(restart, " "); got != "EXPOSE_ENV_A POOL_SIZE PORT SENTRY_DSN" {
		t.Errorf("restart %s", got)
	}
	if live, restart = after.Changes(after); len(live)+len(restart) > 0 {
		t.Errorf("changes to itself: %v %v", live, restart)
	}
}

func TestVariablesOfFunctionsKeepTheOrderOfTheFile(t *testing.T) {
	c, err := withFile(t, "EXPOSE_ENV_Z=1\nPORT=81\nEXPOSE_ENV_A=2\nEXPOSE_ENV_M=3\n", "EXPOSE_ENV_Y=0")
	if err != nil {
		t.Fatal(err)
	}
	if env, err := c.ExposeEnv.MarshalJSON(); err != nil || string(env) != `{"Y":"0","Z":"1","A":"2","M":"3"}` {
		t.Errorf("%s %v", env, err)
	}
}
