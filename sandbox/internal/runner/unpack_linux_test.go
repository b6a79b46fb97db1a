package runner

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
)

var files = fstest.MapFS{
	"main.js":       {Data: []byte("require('./realm/call')")},
	"realm/call.js": {Data: []byte("'use strict'")},
	"empty.js":      {Data: []byte{}},
}

// home makes a cache folder for this test alone, and returns its parent of runners.
func home(t *testing.T) string {
	t.Helper()
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	return filepath.Join(cache, "functions-sandbox")
}

func unpack(t *testing.T) string {
	t.Helper()
	dir, err := Unpack(files)
	if err != nil {
		t.Fatal(err)
	}
	content, err := read(files)
	if err != nil {
		t.Fatal(err)
	}
	if err := content.check(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestUnpackWritesOnce(t *testing.T) {
	parent := home(t)
	defer syscall.Umask(syscall.Umask(0o077))
	dir := unpack(t)
	before := infoOf(t, filepath.Join(dir, "main.js"))
	if filepath.Dir(dir) != parent || infoOf(t, parent).Mode().Perm() != 0o700 {
		t.Errorf("unpacked to %s", dir)
	}
	if again := unpack(t); again != dir || !os.SameFile(before, infoOf(t, filepath.Join(dir, "main.js"))) {
		t.Errorf("unpacked again, to %s", again)
	}
}

func infoOf(t *testing.T, path string) fs.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestUnpackWritesAnewWhatWasChanged(t *testing.T) {
	for name, change := range map[string]func(dir string) error{
		"contents": func(dir string) error { return os.WriteFile(filepath.Join(dir, "main.js"), []byte("evil()"), 0o600) },
		"missing":  func(dir string) error { return os.Remove(filepath.Join(dir, "empty.js")) },
		"one too many": func(dir string) error {
			return os.MkdirAll(filepath.Join(dir, "node_modules", "lodash"), 0o755)
		},
		"file mode":   func(dir string) error { return os.Chmod(filepath.Join(dir, "main.js"), 0o666) },
		"folder mode": func(dir string) error { return os.Chmod(filepath.Join(dir, "realm"), 0o777) },
		"a link": func(dir string) error {
			main := filepath.Join(dir, "main.js")
			return os.Symlink("realm/call.js", main+".link")
		},
		"a link in its place": func(dir string) error {
			if err := os.Rename(dir, dir+"-moved"); err != nil {
				return err
			}
			return os.Symlink(dir+"-moved", dir)
		},
		"a file in its place": func(dir string) error {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
			return os.WriteFile(dir, nil, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			parent := home(t)
			dir := unpack(t)
			if err := change(dir); err != nil {
				t.Fatal(err)
			}
			if again := unpack(t); again != dir {
				t.Errorf("unpacked to %s", again)
			}
			left, err := filepath.Glob(filepath.Join(parent, writing+"*"))
			if err != nil || left != nil {
				t.Errorf("left %q, %v", left, err)
			}
		})
	}
}

func TestUnpackRemovesWhatAKilledProcessHasLeft(t *testing.T) {
	left := filepath.Join(home(t), writing+"1")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	unpack(t)
	if _, err := os.Stat(left); err == nil {
		t.Error("it is still there")
	}
}

func TestUnpackTakesNoParentThatOthersCanChange(t *testing.T) {
	for name, prepare := range map[string]func(parent string) error{
		"others enter it": func(parent string) error {
			return os.Mkdir(parent, 0o755)
		},
		"a link": func(parent string) error {
			if err := os.Mkdir(parent+"-else", 0o700); err != nil {
				return err
			}
			return os.Symlink(parent+"-else", parent)
		},
		"others write above it": func(parent string) error {
			return os.Chmod(filepath.Dir(parent), 0o777)
		},
	} {
		t.Run(name, func(t *testing.T) {
			parent := home(t)
			temporary := t.TempDir()
			t.Setenv("TMPDIR", temporary)
			if err := prepare(parent); err != nil {
				t.Fatal(err)
			}
			if dir := unpack(t); filepath.Dir(filepath.Dir(dir)) != temporary {
				t.Errorf("unpacked to %s", dir)
			}
		})
	}
}

func TestUnpackReturnsAPathWithoutLinks(t *testing.T) {
	cache := filepath.Dir(home(t))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(cache, link); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", filepath.Join(link, "below", "it"))
	if dir := unpack(t); filepath.Dir(filepath.Dir(dir)) != filepath.Join(cache, "below", "it") {
		t.Errorf("unpacked to %s", dir)
	}
}

func TestUnpackMakesNothingInAFolderOfOthers(t *testing.T) {
	cache := filepath.Dir(home(t))
	t.Setenv("TMPDIR", t.TempDir())
	if err := os.Chmod(cache, 0o777); err != nil {
		t.Fatal(err)
	}
	unpack(t)
	if made, err := os.ReadDir(cache); err != nil || len(made) > 0 {
		t.Errorf("made %v, %v", made, err)
	}
}

func TestUnpackAtTheSameTime(t *testing.T) {
	home(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { // flock(2) keeps descriptors of one process apart as it does those of several
			dir, err := Unpack(files)
			if err != nil {
				t.Error(err)
			}
			_ = os.WriteFile(filepath.Join(dir, "x.js"), nil, 0o600) // so that the next one writes all anew
		})
	}
	all.Wait()
	unpack(t)
}
