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
	dir := n.modulesOf(rt)
	if dir == "" {
		return fmt.Sprintf("npm install --prefix DIR --ignore-scripts %s, then MODULES_DIR=DIR", pack)
	}
	return fmt.Sprintf("npm install --prefix %s --ignore-scripts %s", dir, pack)
}

// modulesOf is the absolute path of the directory in which modules of a runtime are looked for, empty for none.
func (n *nodeInstall) modulesOf(rt sandbox.Runtime) string { return cmp.Or(rt.ModulesDir, n.modules) }

// modulesVariable is the variable that lists the modules of a runtime.
func modulesVariable(rt sandbox.Runtime) string {
	if rt.Modules != nil {
		return "RUNTIME_MODULES"
	}
	return "DEFAULT_GLOBAL_MODULES"
}

// modulesHint says what to do about modules that no runtime has.
func modulesHint(err error, node *nodeInstall) string {
	missing, ok := errors.AsType[*sandbox.ModulesError](err)
	if !ok {
		return ""
	}
	var hints, packages []string
	for _, cause := range missing.Causes {
		runtime, line, _ := strings.Cut(cause, ": ")
		name, cause, _ := strings.Cut(line, ": ")
		rt := sandbox.Runtime{Name: runtime}
		if i := indexOf(node.runtimes, runtime); i >= 0 {
			rt = node.runtimes[i]
		}
		hint, pack := node.special(rt, name, cause), packageOf(name)
		switch {
		case hint != "" && !slices.Contains(hints, hint):
			hints = append(hints, hint)
		case hint == "" && !slices.Contains(packages, pack):
			packages = append(packages, pack)
		}
	}
	if len(packages) > 0 {
		more := ""
		if len(packages) > 1 {
			more = "; and so on"
		}
		hints = append(hints, fmt.Sprintf("Install each npm module in a version for its Node.js (%s%s)",
			node.install(sandbox.Runtime{}, packages[0]), more))
	}
	return ". " + strings.Join(hints, ". ") + ", or take what is missing out of DEFAULT_GLOBAL_MODULES"
}

// logModules logs for each runtime which listed modules it cannot load, and what to do.
func logModules(log *slog.Logger, runtimes map[string]sandbox.RuntimeSnapshot, node *nodeInstall) {
	for _, runtime := range slices.Sorted(maps.Keys(runtimes)) {
		for _, line := range runtimes[runtime].Modules {
			name, cause, _ := strings.Cut(line, ": ")
			rt := runtimes[runtime].Runtime
			rt.Name = runtime
			log.Warn(modulesVariable(rt) + ": " + node.lacking(rt, name, cause))
		}
	}
}

// lacking says that a runtime cannot load a module that another one can, and what to do.
func (n *nodeInstall) lacking(rt sandbox.Runtime, name, cause string) string {
	return fmt.Sprintf("%s cannot be loaded on %s, where functions that require it fail: %s. %s, or deploy these "+
		"functions with another runtime", name, rt.Name, cause, n.remedy(rt, name, cause))
}

// remedy is what to do about a module that a runtime cannot load, without a full stop.
func (n *nodeInstall) remedy(rt sandbox.Runtime, name, cause string) string {
	return cmp.Or(n.special(rt, name, cause),
		fmt.Sprintf("Install a version for its Node.js (%s)", n.install(rt, packageOf(name)+"@VERSION")))
}

func cannotFind(name string) string { return fmt.Sprintf("Cannot find module '%s'", name) }

// special is what to do about a module that is not found for another reason than that it is not installed; empty for
// all others.
func (n *nodeInstall) special(rt sandbox.Runtime, name, cause string) string {
	if cause != cannotFind(name) && !strings.HasPrefix(cause, "No such built-in module") {
		return ""
	}
	if hint := ofNode(name); hint != "" {
		return hint
	}
	dir := n.modulesOf(rt)
	if hint := leadsOutside(dir, name); hint != "" {
		return hint
	}
	if os.Geteuid() != 0 {
		return "" // workers are of the server's own user
	}
	return unreadable(dir, name)
}

// ofNode is what to do about a module of Node.js itself that a version does not have; empty for other modules.
func ofNode(name string) string {
	bare, prefixed := strings.CutPrefix(name, "node:")
	known := slices.Contains(nodeModules, name) || prefixed && slices.Contains(nodeModules, bare)
	const runtime = "add a newer runtime to RUNTIMES, and list it in RUNTIME_MODULES for that one"
	switch {
	case prefixed && known && bare != "test" && !slices.Contains(nodeModules, name):
		return fmt.Sprintf("It is a module of Node.js itself, under a name that versions before 14.18 do not have, so there "+
			"is nothing to install: require and list %s, or %s", bare, runtime)
	case known:
		return "It is a module of newer versions of Node.js itself, so there is nothing to install: " + runtime
	case prefixed:
		return "Names with node: are modules of Node.js itself, so there is nothing to install: correct the name, or " +
			runtime
	}
	return ""
}

// nodeModules are the modules of Node.js 24 itself.
var nodeModules = strings.Fields(`
	assert assert/strict async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns
	dns/promises domain events fs fs/promises http http2 https inspector inspector/promises module net os path path/posix
	path/win32 perf_hooks process punycode querystring readline readline/promises repl stream stream/consumers
	stream/promises stream/web string_decoder sys timers timers/promises tls trace_events tty url util util/types v8 vm
	wasi worker_threads zlib node:sea node:sqlite node:test node:test/reporters`)

// packageIn is where the package of a module is in dir, with links resolved, and where it leads from; empty if it is
// not there.
func packageIn(dir, module string) (link, target string) {
	if dir == "" {
		return "", ""
	}
	link = filepath.Join(dir, "node_modules", packageOf(module))
	target, err := filepath.EvalSymlinks(link)
	if err != nil {
		return "", ""
	}
	return link, target
}

// leadsOutside is what to do about a module that is a link to what is not in dir; empty for others.
func leadsOutside(dir, module string) string {
	link, target := packageIn(dir, module)
	if target == "" || strings.HasPrefix(target, dir+string(filepath.Separator)) {
		return ""
	}
	return fmt.Sprintf("%s is a link to %s, and workers see nothing outside of %s: copy it there (npm install "+
		"--prefix %s --ignore-scripts --install-links %s)", link, target, dir, dir, target)
}

// unreadable is what to do about a module in dir that the users of workers may not read; empty for others.
func unreadable(dir, module string) string {
	link, target := packageIn(dir, module)
	for _, path := range []string{link, target} {
		for ; len(path) >= len(dir) && path != ""; path = filepath.Dir(path) {
			info, err := os.Stat(path)
			if err == nil && info.IsDir() && info.Mode()&0o005 != 0o005 {
				return fmt.Sprintf("The users of workers may not read %s: chmod -R a+rX %s", path, dir)
			}
		}
	}
	return ""
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
