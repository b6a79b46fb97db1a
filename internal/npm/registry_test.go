package npm

import (
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/outcome"
)

// published is a package that a test registry has.
type published struct {
	manifest map[string]any
	tarball  []byte
}

func (p published) name() string    { return p.manifest["name"].(string) }
func (p published) version() string { return p.manifest["version"].(string) }

func (p published) file() string {
	name := p.name()
	return name[strings.LastIndexByte(name, '/')+1:] + "-" + p.version() + ".tgz"
}

func (p published) integrity() string {
	sum := sha512.Sum512(p.tarball)
	return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

func (p published) sum() string {
	sum := sha512.Sum512(p.tarball)
	return hex.EncodeToString(sum[:])
}

// pack makes tarballs by "npm pack", as publishing a package does.
func pack(t *testing.T, manifests ...string) []published {
	t.Helper()
	var all []published
	dir := t.TempDir()
	arguments := []string{"pack", "--json", "--ignore-scripts", "--offline", "--pack-destination", dir}
	for _, text := range manifests {
		var p published
		if err := json.Unmarshal([]byte(text), &p.manifest); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		folder := t.TempDir()
		write(t, filepath.Join(folder, "package.json"), text)
		write(t, filepath.Join(folder, "index.js"), "module.exports = '"+p.name()+" "+p.version()+"'\n")
		if inner, ok := p.manifest["bundleDependencies"].([]any); ok {
			for _, name := range inner {
				at := filepath.Join(folder, "node_modules", name.(string))
				write(t, filepath.Join(at, "package.json"), `{"name":"`+name.(string)+`","version":"1.0.0"}`)
			}
		}
		all = append(all, p)
		arguments = append(arguments, folder)
	}
	command(t, dir, "npm", arguments...)
	for i, p := range all {
		file := strings.NewReplacer("@", "", "/", "-").Replace(p.name()) + "-" + p.version() + ".tgz"
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		all[i].tarball = text
	}
	return all
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func command(t *testing.T, dir, name string, arguments ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, arguments...)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, text)
	}
}

// shelf is a registry as npm and this package ask it.
type shelf struct {
	*httptest.Server
	mu    sync.Mutex // guards asked
	asked []string   // paths, in order
	// before answers instead if it returns true.
	before func(http.ResponseWriter, *http.Request) bool
}

func newShelf(t *testing.T, packages ...published) *shelf {
	t.Helper()
	s := &shelf{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.URL.Path)
		s.mu.Unlock()
		if s.before != nil && s.before(w, r) {
			return
		}
		s.answer(w, r, packages)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *shelf) answer(w http.ResponseWriter, r *http.Request, packages []published) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	versions := map[string]any{}
	for _, p := range packages {
		at := p.name() + "/-/" + p.file()
		if path == at {
			_, _ = w.Write(p.tarball)
			return
		}
		if path != p.name() {
			continue
		}
		manifest := map[string]any{}
		for name, value := range p.manifest {
			manifest[name] = value
		}
		short := sha1.Sum(p.tarball)
		manifest["dist"] = map[string]string{
			"tarball": s.URL + "/" + at, "integrity": p.integrity(), "shasum": hex.EncodeToString(short[:]),
		}
		versions[p.version()] = manifest
	}
	if len(versions) == 0 {
		http.NotFound(w, r)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"name": path, "versions": versions, "dist-tags": map[string]string{"latest": "1.0.0"},
	})
}

// requests are the paths that were asked for since the last call.
func (s *shelf) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "npm")
	}
	if o.CacheSize == 0 {
		o.CacheSize = 1 << 20
	}
	if o.LockSize == 0 {
		o.LockSize = 1 << 20
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.Platform == (Platform{}) {
		o.Platform = linux
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var linux = Platform{OS: "linux", CPU: "x64", Libc: "glibc"}

// lockOf is a lock file with packages as entries.
func lockOf(entries map[string]any) map[string][]byte {
	if entries[""] == nil {
		entries[""] = map[string]any{"name": "fn"}
	}
	text, err := json.Marshal(map[string]any{"lockfileVersion": 3, "packages": entries})
	if err != nil {
		panic(err)
	}
	return map[string][]byte{"package-lock.json": text}
}

// locked is the entry of p.
func locked(p published) map[string]any {
	return map[string]any{"version": p.version(), "integrity": p.integrity()}
}

// made is a package without npm: its tarball is some bytes.
func made(name, version, bytes string) published {
	return published{manifest: map[string]any{"name": name, "version": version}, tarball: []byte(bytes)}
}

// wantOutcome checks what an error means.
func wantOutcome(t *testing.T, err error, status int, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want status %d", status)
	}
	o := outcome.Of(err)
	if o.Status != status {
		t.Errorf("status %d, want %d: %v", o.Status, status, err)
	}
	for _, part := range parts {
		if !strings.Contains(o.Message, part) {
			t.Errorf("message %q does not have %q", o.Message, part)
		}
	}
	if len(o.Message) > 1500 {
		t.Errorf("the message has %d bytes", len(o.Message))
	}
}
