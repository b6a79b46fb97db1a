package server

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/runtimes"
	"github.com/backstage/functions/sandbox"
)

// fakeRuntimes are the runtimes of a pool. Those in fails cannot be added.
type fakeRuntimes struct {
	has   []sandbox.Runtime
	fails map[string]bool
	done  []string
}

func (f *fakeRuntimes) Runtimes() []sandbox.Runtime { return slices.Clone(f.has) }
func (f *fakeRuntimes) Snapshot() sandbox.Snapshot  { return sandbox.Snapshot{} }

func (f *fakeRuntimes) Add(_ context.Context, rt sandbox.Runtime) error {
	if f.fails[rt.Name] {
		return errors.New("does not start")
	}
	if i := indexOf(f.has, rt.Name); i >= 0 {
		f.has[i] = rt
	} else {
		f.has = append(f.has, rt)
	}
	return nil
}

func (f *fakeRuntimes) Remove(name string) error {
	f.has = slices.Delete(f.has, indexOf(f.has, name), indexOf(f.has, name)+1)
	return nil
}

// nodeScript makes a program that says that it is some version of Node.js.
func nodeScript(t *testing.T, path, version string) string {
	t.Helper()
	script := "#!/bin/sh\necho v" + version + "\n"
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(script), 0o755)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestKeeperHasTheRuntimesThatThereShouldBe(t *testing.T) {
	data := t.TempDir()
	dir := runtimes.In(data)
	install := func(name, version string) {
		nodeScript(t, filepath.Join(string(dir), name+"@"+version, "bin", "node"), version)
	}
	first := sandbox.Runtime{Name: "node8", Node: nodeScript(t, filepath.Join(data, "node8"), "8.17.0")}
	own := sandbox.Runtime{Name: "node22", Node: nodeScript(t, filepath.Join(data, "node22"), "22.1.0")}
	pool := &fakeRuntimes{has: []sandbox.Runtime{first}, fails: map[string]bool{}}
	var log strings.Builder
	k := &runtimeKeeper{
		pool: pool, dirs: []runtimes.Dir{dir}, node: &nodeInstall{runtimes: pool.has}, log: slog.New(slog.NewTextHandler(&log, nil)),
		changed: func(what string) { pool.done = append(pool.done, what) },
		given:   pool.has, failed: map[string]sandbox.Runtime{},
	}
	reload := func(given ...sandbox.Runtime) func() {
		return func() { k.reload(t.Context(), &config.Config{Runtimes: given}) }
	}
	sync := func() { k.sync(t.Context()) }
	for _, row := range []struct {
		name string
		do   func()
		want string // the runtimes, and what was done
	}{
		{"nothing", sync, "node8:"},
		{"installed", func() { install("node24", "24.1.0"); sync() }, "node8 node24@24.1.0: added"},
		{"a newer version", func() { install("node24", "24.2.0"); sync() }, "node8 node24@24.2.0: replaced"},
		{"again", sync, "node8 node24@24.2.0:"},
		{"does not start", func() { pool.fails["node20"] = true; install("node20", "20.1.0"); sync() }, "node8 node24@24.2.0: failed"},
		{"not tried again", sync, "node8 node24@24.2.0:"},
		{"but in another version", func() { install("node20", "20.2.0"); sync() }, "node8 node24@24.2.0: failed"},
		{"and at SIGHUP", reload(first), "node8 node24@24.2.0: failed"},
		{"mended", func() { pool.fails["node20"] = false; reload(first)() }, "node8 node24@24.2.0 node20@20.2.0: added"},
		{"RUNTIMES", reload(first, own), "node8 node24@24.2.0 node20@20.2.0 node22: added"},
		{"takes precedence", func() { install("node22", "22.9.0"); sync() }, "node8 node24@24.2.0 node20@20.2.0 node22:"},
		{"the first one stays", reload(own), "node8 node24@24.2.0 node20@20.2.0 node22:"},
		{"in place of it", reload(first), "node8 node24@24.2.0 node20@20.2.0 node22@22.9.0: replaced"},
		{"RUNTIMES unset", reload(), "node8 node24@24.2.0 node20@20.2.0 node22@22.9.0:"},
		{"removed", func() { _ = dir.Remove("node24"); sync() }, "node8 node20@20.2.0 node22@22.9.0: removed"},
		{"a directory that is none", func() {
			_ = os.RemoveAll(string(dir))
			_ = os.WriteFile(string(dir), nil, 0o600)
			sync()
		}, "node8 node20@20.2.0 node22@22.9.0:"},
		{"gone", func() { _ = os.Remove(string(dir)); sync() }, "node8: removed removed"},
	} {
		pool.done = nil
		row.do()
		var all []string
		for _, rt := range pool.has {
			version := filepath.Base(filepath.Dir(filepath.Dir(rt.Node)))
			if !strings.HasPrefix(version, rt.Name+"@") {
				version = rt.Name
			}
			all = append(all, version)
		}
		got := strings.TrimSpace(strings.Join(all, " ") + ": " + strings.Join(pool.done, " "))
		if got != row.want {
			t.Errorf("%s: got %q, want %q; log: %s", row.name, got, row.want, log.String())
		}
		log.Reset()
	}
}

func TestModulesForARuntimeThatIsNotThereAreToldOf(t *testing.T) {
	data := t.TempDir()
	first := sandbox.Runtime{Name: "node8", Node: nodeScript(t, filepath.Join(data, "node8"), "8.17.0")}
	broken := sandbox.Runtime{Name: "node20", Node: nodeScript(t, filepath.Join(data, "node20"), "20.1.0")}
	pool := &fakeRuntimes{has: []sandbox.Runtime{first}, fails: map[string]bool{"node20": true}}
	var log strings.Builder
	k := &runtimeKeeper{
		pool: pool, dirs: []runtimes.Dir{runtimes.In(data)}, node: &nodeInstall{runtimes: pool.has},
		log: slog.New(slog.NewTextHandler(&log, nil)), changed: func(string) {}, given: pool.has, failed: map[string]sandbox.Runtime{},
	}
	modules := map[string]config.RuntimeModules{"node99": {}, "node8": {}, "node20": {}}
	k.reload(t.Context(), &config.Config{Runtimes: []sandbox.Runtime{first, broken}, RuntimeModules: modules})
	if got := log.String(); strings.Count(got, "RUNTIME_MODULES") != 1 || !strings.Contains(got, "RUNTIME_MODULES: there is no runtime node99 yet, only node8") {
		t.Errorf("the log says %s", got)
	}
}

func TestRegistryIsThatOfNpmUnlessItIsSet(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("PATH", home) // where there is no npm
	npmrc := func(text string) {
		if err := os.WriteFile(filepath.Join(home, ".npmrc"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set := &config.Config{}
	set.Packages.Registry, set.Packages.Token = "https://user:secret@set.example/npm", "t"
	for _, row := range []struct {
		name, npmrc string
		cfg         *config.Config
		environ     []string
		want, token string
	}{
		{"nothing", "", &config.Config{}, nil, "set NPM_REGISTRY", ""},
		{"of npm's file", "a=b\nregistry = https://file.example/\n", &config.Config{}, nil, "https://file.example/", ""},
		{"of its variable", "", &config.Config{}, []string{"NPM_CONFIG_REGISTRY=http://env.example"}, "http://env.example", ""},
		{"the server's", "registry=https://file.example/", set, []string{"npm_config_registry=http://env.example"}, "https://set.example/npm", "t"},
		{"no address", "registry=${HOST}", &config.Config{}, nil, "set NPM_REGISTRY", ""},
	} {
		npmrc(row.npmrc)
		r, err := openRegistry(t.Context(), row.cfg, row.environ)
		if err != nil && !strings.Contains(err.Error(), row.want) || err == nil && r.shown != row.want || r.options.Token != row.token {
			t.Errorf("%s: %q, token %q, %v, want %q", row.name, r.shown, r.options.Token, err, row.want)
		}
	}
}
