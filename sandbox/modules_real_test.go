//go:build linux

package sandbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// ownModules is a folder of modules as npm leaves it: a package of npm's, one that Node.js 8 is too old for, and a
// newer lodash.
func ownModules(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { // of the test's user alone, it could not be read in a jail
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "node_modules", "qs"), os.DirFS("../runner-js/node_modules/qs")); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		"package.json":                      `{"private":true}`,
		"node_modules/modern/index.js":      `module.exports = (null ?? 'modern') + require('./part').n`,
		"node_modules/modern/part.js":       `exports.n = 1`,
		"node_modules/lodash/index.js":      `exports.own = require('qs').stringify({ a: 1 })`,
		"node_modules/@scope/name/index.js": `module.exports = 'scoped'`,
	} {
		path := filepath.Join(dir, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestModulesOfTheOperatorsAreThereOnEveryRuntimeAndTier(t *testing.T) {
	dir := ownModules(t)
	for _, row := range []struct {
		version   version
		isolation sandbox.Isolation
	}{
		{oldest, sandbox.IsolationStrict},
		{oldest, sandbox.IsolationProcess},
		{oldest, sandbox.IsolationNone},
		{"node20", sandbox.IsolationStrict},
		{"node24", sandbox.IsolationStrict},
	} {
		t.Run(string(row.version)+"/"+string(row.isolation), func(t *testing.T) {
			pool := newRealPool(t, func(c *sandbox.Config) {
				c.Node, c.Isolation, c.ModulesDir = row.version.binary(t), row.isolation, dir
				c.Modules = []string{"qs", "lodash", "@scope/name", "async", "path"}
				if row.version != oldest {
					c.Modules = append(c.Modules, "modern")
				}
			})
			const all = `function main(req, res) {
				const own = require('lodash').own, parsed = require('qs').parse('a[b]=c').a.b, scoped = require('@scope/name');
				let modern = 'none';
				try { modern = require('modern'); } catch (e) { }
				res.send([own, parsed, scoped, typeof require('async').map, require('path').join('a', 'b'), modern]);
			}`
			result, err := pool.Invoke(t.Context(), invocation("all", all))
			if err != nil {
				t.Fatal(err)
			}
			want := `["a=1","c","scoped","function","a/b","none"]`
			if row.version != oldest {
				want = strings.Replace(want, "none", "modern1", 1)
			}
			if string(result.Body) != want {
				t.Errorf("got %s, want %s", result.Body, want)
			}
		})
	}
}

// A module that one of several runtimes cannot load is told of, and to functions of that runtime alone.
func TestModulesThatOneRuntimeCannotLoadAreNamed(t *testing.T) {
	cfg := realConfig(t)
	cfg.ModulesDir, cfg.Prewarmed = ownModules(t), 1
	cfg.Modules = []string{"qs", "modern"}
	cfg.Runtimes = []sandbox.Runtime{{Name: "old", Node: oldest.binary(t)}, {Name: "new", Node: version("node24").binary(t)}}
	pools, err := sandbox.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer pools.Close()
	reports := pools.Snapshot().Runtimes
	if got := reports["old"].Modules; len(got) != 1 || !strings.HasPrefix(got[0], "modern: its code is too new (Unexpected token ?") {
		t.Errorf("the old one lacks %q", got)
	}
	if got := reports["new"].Modules; len(got) != 0 {
		t.Errorf("the new one lacks %q", got)
	}
	for name, want := range map[string]string{"old": "Cannot find module 'modern' on Node.js v8.17.0: its code is too new", "new": ""} {
		inv := invocation("modern", `const modern = require('modern'); function main(req, res) { res.send(modern) }`)
		inv.Runtime, inv.Kind = name, sandbox.Check
		_, err := pools.Invoke(t.Context(), inv)
		if failed, ok := errors.AsType[*sandbox.FunctionError](err); want == "" && err != nil || want != "" && (!ok || !strings.HasPrefix(failed.Message, want)) {
			t.Errorf("%s: a deploy ended with %v, want %q", name, err, want)
		}
	}
}

func TestModulesThatNoRuntimeCanLoadEndTheStart(t *testing.T) {
	cfg := realConfig(t)
	cfg.Prewarmed, cfg.Modules = 1, []string{"lodash", "none-such"}
	cfg.Runtimes = []sandbox.Runtime{{Name: "old", Node: oldest.binary(t)}, {Name: "new", Node: version("node24").binary(t)}}
	_, err := sandbox.New(t.Context(), cfg)
	missing, ok := errors.AsType[*sandbox.ModulesError](err)
	want := []string{"old: none-such: Cannot find module 'none-such'", "new: none-such: Cannot find module 'none-such'"}
	if !ok || !slices.Equal(missing.Causes, want) {
		t.Errorf("got %v, want %q", err, want)
	}
}
