package server

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/backstage/functions/internal/smallfile"
	"github.com/backstage/functions/sandbox"
)

// modulesDir is the absolute path of the directory that a variable names, with links resolved: workers see it under its
// own path.
func modulesDir(variable, asked string) (string, error) {
	if asked == "" {
		return "", nil
	}
	dir, err := filepath.Abs(asked)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err == nil {
		_, err = os.ReadDir(filepath.Join(dir, "node_modules"))
	}
	if err != nil {
		return "", fmt.Errorf("%s: no modules in %s: fill it with npm install --prefix %s --ignore-scripts "+
			"MODULE, or unset it", variable, asked, asked)
	}
	return dir, nil
}

// install is the command that installs a package where it is looked for; rt is zero where any runtime may have it.
func (n *nodeInstall) install(rt sandbox.Runtime, pack string) string {
	dir := cmp.Or(rt.ModulesDir, n.modules)
	if dir == "" {
		return fmt.Sprintf("npm install --prefix DIR --ignore-scripts %s, then MODULES_DIR=DIR", pack)
	}
	return fmt.Sprintf("npm install --prefix %s --ignore-scripts %s", dir, pack)
}

// modulesHint says what to do about modules that no runtime has.
func modulesHint(err error, node *nodeInstall) string {
	missing, ok := errors.AsType[*sandbox.ModulesError](err)
	if !ok {
		return ""
	}
	_, line, _ := strings.Cut(missing.Causes[0], ": ")
	name, _, _ := strings.Cut(line, ": ")
	return fmt.Sprintf(". Install each in a version for its Node.js (%s; and so on), or take it out of "+
		"DEFAULT_GLOBAL_MODULES",
		node.install(sandbox.Runtime{}, packageOf(name)))
}

// logModules logs for each runtime which listed modules it cannot load, and what to do.
func logModules(log *slog.Logger, runtimes map[string]sandbox.RuntimeSnapshot, node *nodeInstall) {
	for _, runtime := range slices.Sorted(maps.Keys(runtimes)) {
		for _, line := range runtimes[runtime].Modules {
			name, cause, _ := strings.Cut(line, ": ")
			log.Warn(fmt.Sprintf("DEFAULT_GLOBAL_MODULES: %s cannot be loaded on %s, where functions that require it fail: "+
				"%s. Install a version for its Node.js (%s), or deploy these functions with another runtime",
				name, runtime, cause, node.install(runtimes[runtime].Runtime, packageOf(name)+"@VERSION")))
		}
	}
}

// maxManifest is the most bytes of a package.json that is read.
const maxManifest = 1 << 20

// moduleVersions are the versions of the modules in MODULES_DIR and next to the runner, by name. Modules without a
// version, such as those of Node.js itself, are left out.
func moduleVersions(node *nodeInstall, modules []string) map[string]string {
	versions := map[string]string{}
	for _, name := range modules {
		for _, dir := range []string{filepath.Dir(node.runner), node.modules} { // MODULES_DIR takes precedence
			text, err := smallfile.Read(filepath.Join(dir, "node_modules", packageOf(name), "package.json"), maxManifest)
			if dir == "" || err != nil {
				continue
			}
			var info struct{ Version string }
			if json.Unmarshal(text, &info) == nil && info.Version != "" {
				versions[name] = info.Version
			}
		}
	}
	return versions
}

// packageOf is the package of a module: "lodash" for "lodash/fp", "@a/b" for "@a/b/c".
func packageOf(module string) string {
	parts := strings.SplitN(module, "/", 3)
	if strings.HasPrefix(module, "@") && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

// paths are the directories in which modules are looked for, without that of the runner.
func (n *nodeInstall) paths() []string {
	if n.modules == "" {
		return nil
	}
	return []string{n.modules}
}
