//go:build linux

package sandbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox"
)

// modulesOf is a folder with a module of each name and code, and pipe, which nobody writes to.
func modulesOf(t *testing.T, modules map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { // of the test's user alone, it could not be read in a jail
		t.Fatal(err)
	}
	for name, code := range modules {
		path := filepath.Join(dir, "node_modules", name, "index.js")
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(code), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(filepath.Join(dir, "node_modules", "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// goingOn are modules that do not end with being loaded: they read, connect, wait, and throw later.
var goingOn = map[string]string{
	"reads": `const fs = require('fs');
		fs.readFile(__filename, 'utf8', (error, text) => setImmediate(() => { exports.text = error || text.slice(0, 5) }))`,
	"connects": `require('net').connect(6399, '127.0.0.1').on('error', error => { exports.failed = error.syscall })`,
	"again": `const { connect } = require('net');
		(function again() { connect(6399, '127.0.0.1').on('error', () => setTimeout(again, 10).unref()) })();`,
	"looks": `require('dns').lookup('none.invalid', error => { exports.failed = error !== null })`,
	"ticks": `process.nextTick(() => { exports.ticked = true })`,
	"lost":  `setTimeout(() => { throw new Error('later failure') }, 1)`,
	"loses": `let n = 0; setInterval(() => { if (n++ === 0) throw new Error('interval failure') }, 1).unref()`,
	"none":  `Promise.reject(new Error('a rejection'))`,
}

// What modules do after they were loaded is done before the first call, and keeps no worker from starting, nor one that
// is put back.
func TestModulesMayGoOnAfterTheyWereLoaded(t *testing.T) {
	dir := modulesOf(t, goingOn)
	rows := map[string]string{
		"again connects looks none reads ticks": `{"again":{},"connects":{"failed":"connect"},"looks":{"failed":true},` +
			`"none":{},"reads":{"text":"const"},"ticks":{"ticked":true}}`,
		"lost loses": `{"lost":{},"loses":{}}`, // as nothing waits for them, they throw in a rehearsal
	}
	for name, change := range map[string]func(*sandbox.Config){
		"forked": func(*sandbox.Config) {}, "directly": directlyInJails(t),
	} {
		t.Run(name, func(t *testing.T) {
			onEveryVersion(t, func(t *testing.T, v version) {
				for names, want := range rows {
					modules := strings.Fields(names)
					pool := newRealPool(t, func(c *sandbox.Config) {
						change(c)
						c.Node, c.ModulesDir, c.Modules, c.Prewarmed = v.binary(t), dir, modules, 1
					})
					var all []string
					for _, module := range modules {
						all = append(all, module+`: require('`+module+`')`)
					}
					object := `{ ` + strings.Join(all, ", ") + ` }`
					code := `function main(req, res) { res.send(` + object + `) }`
					for i := range 3 { // the fork server rehearses after the first worker
						if got := body(t, pool, invocation("all", code)); got != want {
							t.Errorf("call %d answers %s, want %s", i, got, want)
						}
					}
					if name == "directly" {
						continue // what throws in a call is its error
					}
					waiting := `function main(req, res) { setTimeout(() => res.send(` + object + `), 1) }`
					for i := range 3 {
						if got := body(t, pool, invocation("waiting", waiting)); got != want {
							t.Errorf("call %d that waits answers %s, want %s", i, got, want)
						}
					}
					if only(pool).Rollback.Available {
						beginRollback(t, pool, false)
						for name, code := range map[string]string{"all": code, "waiting": waiting} {
							if got := body(t, pool, rolledBackInvocation(name, code)); got != want {
								t.Errorf("%s: put back, it answers %s, want %s", name, got, want)
							}
						}
					}
				}
			})
		})
	}
}

// A module that fails after it was loaded ends the start with its own error, and one that waits for long with what for.
func TestModulesThatFailAfterTheyWereLoadedEndTheStart(t *testing.T) {
	dir := modulesOf(t, map[string]string{
		"throws":  `setImmediate(() => { throw new Error('late failure') })`,
		"refused": `require('net').connect(6399, '127.0.0.1')`,
		"waits":   `require('fs').readFile(__dirname + '/../pipe', () => {})`,
	})
	for name, change := range map[string]func(*sandbox.Config){
		"forked": func(*sandbox.Config) {}, "directly": directlyInJails(t),
	} {
		t.Run(name, func(t *testing.T) {
			onEveryVersion(t, func(t *testing.T, v version) {
				t.Parallel() // one of them takes five seconds to fail
				for module, wants := range map[string][]string{
					"throws":  {"Error: late failure", "/throws/index.js:1:"},
					"refused": {"Error: connect E", " 127.0.0.1:6399"},
					"waits":   {"requests are under way (", "FSReq", "5 seconds after the modules were loaded"},
				} {
					if name == "directly" && v != oldest {
						continue // nothing of it depends on the version
					}
					cfg := realConfig(t)
					change(&cfg)
					cfg.Node, cfg.ModulesDir, cfg.Modules, cfg.Prewarmed = v.binary(t), dir, []string{module}, 1
					pool, err := startPool(t, cfg)
					if err == nil {
						_ = pool.Close()
						t.Errorf("%s: it starts", module)
						continue
					}
					for _, want := range wants {
						if !strings.Contains(err.Error(), want) {
							t.Errorf("%s: it ends with %v, want %s", module, err, want)
						}
					}
				}
			})
		})
	}
}
