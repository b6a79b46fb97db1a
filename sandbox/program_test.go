//go:build linux

package sandbox_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// TestAProgramOfAnotherModuleWorks builds and runs testdata/program, which knows the public names of this package and
// no checkout of it.
func TestAProgramOfAnotherModuleWorks(t *testing.T) {
	dir := otherModule(t)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", "program", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	program := exec.CommandContext(t.Context(), filepath.Join(dir, "program"))
	program.Dir = dir
	program.Env = []string{"PATH=" + nodeOnPath(t), "XDG_CACHE_HOME=" + t.TempDir()}
	out, err := program.CombinedOutput()
	if want := "info called\n200 {\"sum\":3}\n"; err != nil || string(out) != want {
		t.Errorf("%v, it said %q, want %q", err, out, want)
	}
}

// otherModule is the folder of a module that has the program and uses this one.
func otherModule(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	mod := readFile(t, "../go.mod")
	mod = regexp.MustCompile(`(?m)^module .*`).ReplaceAllString(mod, "module example.com/program") +
		"\nrequire github.com/backstage/functions v0.0.0\n\nreplace github.com/backstage/functions => " + root + "\n"
	for name, text := range map[string]string{
		"go.mod": mod, "go.sum": readFile(t, "../go.sum"), "main.go": readFile(t, "testdata/program/main.go"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// nodeOnPath is a folder with the oldest Node.js and nothing else.
func nodeOnPath(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(oldest.binary(t), filepath.Join(dir, "node")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// carried is the configuration of a pool with the runner that this package carries.
func carried(t *testing.T, v version) sandbox.Config {
	t.Helper()
	cfg := realConfig(t)
	cfg.Node, cfg.Runner, cfg.Modules = v.binary(t), "", nil
	cfg.Size, cfg.Prewarmed = 1, 1
	return cfg
}

func TestTheRunnerThatIsCarriedWorksOnEveryVersion(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	const code = `const { createHash } = require('crypto')
		function main(req, res) { res.send(createHash('md5').update(req.body).digest('hex') + typeof Intl.DateTimeFormat) }`
	onEveryVersion(t, func(t *testing.T, v version) {
		cfg := carried(t, v)
		cfg.Modules = []string{"crypto"}
		wantBody(t, cfg, code, `"900150983cd24fb0d6963f7d28e17f72function"`)
	})
}

func TestPathsMayBeRelativeInEveryTier(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, tier := range []sandbox.Isolation{sandbox.IsolationStrict, sandbox.IsolationProcess, sandbox.IsolationNone} {
		t.Run(string(tier), func(t *testing.T) {
			cfg := carried(t, oldest)
			cfg.Isolation, cfg.Runner, cfg.ModulesDir = tier, "../runner-js/main.js", "../runner-js"
			if cfg.Node, err = filepath.Rel(here, cfg.Node); err != nil {
				t.Fatal(err)
			}
			wantBody(t, cfg, `function main(req, res) { res.send(req.body) }`, `"abc"`)
		})
	}
}

// wantBody fails t unless a call of code with "abc" is answered with want.
func wantBody(t *testing.T, cfg sandbox.Config, code, want string) {
	t.Helper()
	pool, err := sandbox.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	inv := invocation("carried", code)
	inv.Request.Body = []byte(`"abc"`)
	result, err := pool.Invoke(t.Context(), inv)
	if err != nil || string(result.Body) != want {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestNewSaysWhatToDoAboutNode(t *testing.T) {
	empty := t.TempDir()
	t.Setenv("PATH", empty)
	for name, change := range map[string]func(*sandbox.Config){
		"none on PATH":  func(c *sandbox.Config) { c.Node = "" },
		"none there":    func(c *sandbox.Config) { c.Node = filepath.Join(empty, "node") },
		"not a program": func(c *sandbox.Config) { c.Node = "program_test.go" },
	} {
		cfg := sandbox.DefaultConfig()
		change(&cfg)
		_, err := sandbox.New(t.Context(), cfg)
		if err == nil || !regexp.MustCompile(`Node\.js.*set Config\.Node to`).MatchString(err.Error()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
