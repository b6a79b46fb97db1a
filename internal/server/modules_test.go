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
	err := fmt.Errorf("start: %w", &sandbox.ModulesError{Causes: []string{"node8: none: Cannot find module 'none'"}})
	if hint := modulesHint(err, &nodeInstall{}); !strings.Contains(hint, "npm install --prefix DIR --ignore-scripts none, then MODULES_DIR=DIR;") {
		t.Errorf("hint %q", hint)
	}
	if hint := modulesHint(errors.New("other"), &nodeInstall{}); hint != "" {
		t.Errorf("hint %q", hint)
	}
}
