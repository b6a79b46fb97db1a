package npm

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// TestTheSamePackagesAsNpmInstalls compares with what "npm ci" puts into node_modules for a lock file of npm's own.
func TestTheSamePackagesAsNpmInstalls(t *testing.T) {
	t.Parallel()
	packages := pack(t,
		`{"name":"plain","version":"1.0.0","dependencies":{"shared":"^1.0.0"}}`,
		`{"name":"shared","version":"1.0.0"}`,
		`{"name":"shared","version":"2.0.0"}`,
		`{"name":"@scope/nested","version":"1.0.0","dependencies":{"shared":"^2.0.0","@scope/leaf":"1.0.0"}}`,
		`{"name":"@scope/leaf","version":"1.0.0","peerDependencies":{"peer":"*"}}`,
		`{"name":"peer","version":"1.0.0"}`,
		`{"name":"tool","version":"1.0.0","dependencies":{"tool-part":"1.0.0"}}`,
		`{"name":"tool-part","version":"1.0.0"}`,
		`{"name":"mac","version":"1.0.0","os":["darwin"]}`,
		`{"name":"arm","version":"1.0.0","cpu":["arm64"],"os":["linux"]}`,
		`{"name":"musl","version":"1.0.0","os":["linux"],"libc":["musl"]}`,
		`{"name":"gnu","version":"1.0.0","os":["!win32"],"libc":["glibc"]}`,
		`{"name":"natives","version":"1.0.0","optionalDependencies":{"mac":"*","arm":"*","musl":"*","gnu":"*"}}`,
		`{"name":"bundler","version":"1.0.0","dependencies":{"inner":"1.0.0"},"bundleDependencies":["inner"]}`,
		`{"name":"both","version":"1.0.0"}`,
		`{"name":"wants-both","version":"1.0.0","optionalDependencies":{"both":"1.0.0"}}`,
		`{"name":"JSONStream","version":"1.0.0-rc.1"}`,
	)
	shelf := newShelf(t, packages...)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "package.json"), `{"name":"fn","version":"1.0.0","dependencies":{
		"plain":"^1.0.0","@scope/nested":"1.0.0","natives":"*","bundler":"1.0.0","wants-both":"*",
		"other-name":"npm:shared@2.0.0","JSONStream":"1.0.0-rc.1"},
		"devDependencies":{"tool":"1.0.0","both":"1.0.0"}}`)
	cache := t.TempDir()
	with := []string{"--registry", shelf.URL, "--cache", cache, "--no-audit", "--no-fund", "--ignore-scripts"}
	command(t, dir, "npm", append([]string{"install", "--package-lock-only"}, with...)...)
	command(t, dir, "npm", append([]string{
		"ci", "--omit=dev", "--os=linux", "--cpu=x64", "--libc=glibc",
	}, with...)...)

	type installed struct{ Version, Name, Integrity string }
	var hidden struct {
		Packages map[string]struct {
			installed
			InBundle bool
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "node_modules", ".package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &hidden); err != nil {
		t.Fatal(err)
	}
	want := map[string]installed{}
	for path, p := range hidden.Packages {
		if !p.InBundle {
			want[path] = installed{Version: p.Version, Integrity: p.Integrity}
		}
	}

	files := map[string][]byte{}
	for _, name := range []string{"package.json", "package-lock.json"} {
		if files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	shelf.requests()
	set, err := newClient(t, Options{Registry: shelf.URL}).Packages(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	got := map[string]installed{}
	for _, p := range set.Packages {
		got[p.Path] = installed{Version: p.Version, Integrity: p.Integrity}
		if _, err := os.Stat(p.Tarball); err != nil {
			t.Error(err)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got\n%v\nnpm has\n%v", got, want)
	}
	if len(want) < 10 {
		t.Errorf("npm installed only %d packages", len(want))
	}
}
