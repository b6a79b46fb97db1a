package server

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstage/functions/sandbox"
)

func TestModuleVersionsAreThoseOfTheirPackages(t *testing.T) {
	versions := moduleVersions(&nodeInstall{runner: "../../runner-js/main.js"}, []string{"lodash", "lodash/fp", "crypto", "@none/such/file"})
	if versions["lodash"] == "" || versions["lodash/fp"] != versions["lodash"] || len(versions) != 2 {
		t.Errorf("versions %v", versions)
	}
}

func TestModulesDirMustHoldModules(t *testing.T) {
	empty, filled := t.TempDir(), t.TempDir()
	pack := filepath.Join(filled, "node_modules", "lodash")
	if err := errors.Join(os.MkdirAll(pack, 0o755), os.WriteFile(filepath.Join(pack, "package.json"), []byte(`{"version":"9.9.9"}`), 0o600)); err != nil {
		t.Fatal(err)
	}
	for dir, fault := range map[string]string{"": "", filled: "", empty: "npm install --prefix " + empty, filled + "/none": "MODULES_DIR: no modules in"} {
		got, err := modulesDir("MODULES_DIR", dir)
		if fault == "" && (err != nil || dir != "" && got == "") || fault != "" && (err == nil || !strings.Contains(err.Error(), fault)) {
			t.Errorf("%q: %q, %v", dir, got, err)
		}
	}
	node := &nodeInstall{runner: "../../runner-js/main.js", modules: filled}
	if versions := moduleVersions(node, []string{"lodash", "async"}); versions["lodash"] != "9.9.9" || versions["async"] == "" {
		t.Errorf("versions %v", versions)
	}
}

func TestMissingModulesAreToldWithWhatToDo(t *testing.T) {
	var log bytes.Buffer
	runtimes := map[string]sandbox.RuntimeSnapshot{"node24": {}, "node8": {Report: sandbox.Report{Modules: []string{"@a/b/c: its code is too new (Unexpected token ?)"}}}}
	logModules(slog.New(slog.NewTextHandler(&log, nil)), runtimes, &nodeInstall{modules: "/opt/modules"})
	for _, want := range []string{"@a/b/c cannot be loaded on node8", "too new", "npm install --prefix /opt/modules --ignore-scripts @a/b@VERSION", "another runtime"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in %s", want, log.String())
		}
	}
	if hint := modulesHint(errors.New("other"), &nodeInstall{}); hint != "" {
		t.Errorf("hint %q", hint)
	}
}

// blockedModules has a module that is a link to elsewhere, and one that only its owner may read.
func blockedModules(t *testing.T) (dir string) {
	t.Helper()
	dir, elsewhere := t.TempDir(), t.TempDir()
	within := filepath.Join(dir, "node_modules")
	if err := errors.Join(os.Chmod(dir, 0o755), os.MkdirAll(filepath.Join(within, "@own", "closed"), 0o755),
		os.Mkdir(filepath.Join(within, "near"), 0o755), os.Chmod(filepath.Join(within, "@own"), 0o700),
		os.Symlink(elsewhere, filepath.Join(within, "away")), os.Symlink("near", filepath.Join(within, "linked"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestModulesThatNpmDoesNotHelpAreToldWithTheirCause(t *testing.T) {
	dir := blockedModules(t)
	node := &nodeInstall{modules: dir}
	for _, row := range []struct{ name, cause, want string }{
		{"worker_threads", "", "It is a module of newer versions of Node.js itself, so there is nothing to install: add a newer runtime to RUNTIMES"},
		{"fs/promises", "", "It is a module of newer versions"},
		{"node:test", "", "It is a module of newer versions"},
		{"node:test/reporters", "", "It is a module of newer versions"},
		{"node:sqlite", "No such built-in module: node:sqlite", "It is a module of newer versions"},
		{"node:crypto", "", "nothing to install: require and list crypto, or add a newer"},
		{"node:cripto", "", "nothing to install: correct the name"},
		{"away", "", filepath.Join(dir, "node_modules", "away") + " is a link to "},
		{"away/part", "", "--ignore-scripts --install-links "},
		{"@own/closed", "", "The users of workers may not read " + filepath.Join(dir, "node_modules", "@own") + ": chmod -R a+rX " + dir},
		{"linked", "", "npm install --prefix " + dir + " --ignore-scripts linked@VERSION"},
		{"near", "", "npm install --prefix " + dir + " --ignore-scripts near@VERSION"},
		{"sqlite", "", "npm install --prefix " + dir + " --ignore-scripts sqlite@VERSION"},
		{"away", "Cannot find module 'worker_threads'", "npm install --prefix " + dir + " --ignore-scripts away@VERSION"},
		{"fs/promises", "its code is too new (x)", "npm install"},
	} {
		if row.cause == "" {
			row.cause = cannotFind(row.name)
		}
		var log bytes.Buffer
		logModules(slog.New(slog.NewTextHandler(&log, nil)),
			map[string]sandbox.RuntimeSnapshot{"node8": {Report: sandbox.Report{Modules: []string{row.name + ": " + row.cause}}}}, node)
		if got := log.String(); !strings.Contains(got, row.want) || strings.Contains(got, "npm install") != strings.Contains(row.want, "npm install") &&
			!strings.Contains(got, "--install-links") {
			t.Errorf("%s: no %q in %s", row.name, row.want, got)
		}
	}
}

func TestModulesThatNoRuntimeHasAreToldWithWhatToDo(t *testing.T) {
	for causes, want := range map[string]string{
		"node8: none: Cannot find module 'none'": ". Install each npm module in a version for its Node.js (npm install --prefix DIR " +
			"--ignore-scripts none, then MODULES_DIR=DIR), or take what is missing out of DEFAULT_GLOBAL_MODULES",
		"node8: a/x: Cannot find module 'a/x'|node24: a/x: Cannot find module 'a/x'|node8: b: too new": ". Install each npm module in a version for " +
			"its Node.js (npm install --prefix DIR --ignore-scripts a, then MODULES_DIR=DIR; and so on), or take",
		"node8: worker_threads: Cannot find module 'worker_threads'": ". It is a module of newer versions of Node.js itself, so there is nothing " +
			"to install: add a newer runtime to RUNTIMES, and list it in RUNTIME_MODULES for that one, or take",
	} {
		err := fmt.Errorf("start: %w", &sandbox.ModulesError{Causes: strings.Split(causes, "|")})
		if hint := modulesHint(err, &nodeInstall{}); !strings.HasPrefix(hint, want) {
			t.Errorf("%s: hint %q, want %q", causes, hint, want)
		}
	}
}

func TestOnlyWhatEveryUserMayReachIsOpen(t *testing.T) {
	dir := t.TempDir()
	within := filepath.Join(dir, "a", "b")
	if err := errors.Join(os.MkdirAll(within, 0o755), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		above, own os.FileMode
		want       bool
	}{{0o755, 0o755, true}, {0o711, 0o755, true}, {0o700, 0o755, false}, {0o755, 0o700, false}, {0o755, 0o711, false}, {0o750, 0o777, false}} {
		if err := errors.Join(os.Chmod(filepath.Dir(within), row.above), os.Chmod(within, row.own)); err != nil {
			t.Fatal(err)
		}
		if got := open(within); got != row.want {
			t.Errorf("%o/%o: %v", row.above, row.own, got)
		}
	}
	if open(filepath.Join(dir, "none")) {
		t.Error("what is not there is open")
	}
}
