package bolt_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/bolt"
)

// must fails the test at once.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAStoreThatOthersCouldChangeIsRefused(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(t *testing.T, dir, file string)
		want  string // of the error
	}{
		"a directory for all":         {func(t *testing.T, dir, _ string) { must(t, os.Chmod(dir, 0o777)) }, "chmod o-w"},
		"a directory for all, sticky": {func(t *testing.T, dir, _ string) { must(t, os.Chmod(dir, 0o777|os.ModeSticky)) }, "(mode 0777): name a directory in it, which the server makes for itself"},
		"a directory to write to":     {func(t *testing.T, dir, _ string) { must(t, os.Chmod(dir, 0o703)) }, "chmod o-w"},
		"a directory of a user":       {func(t *testing.T, dir, _ string) { must(t, os.Chown(dir, 10001, 10001)) }, ": name another one, or, if it is for this server alone, run chown"},
		"a file for all":              {func(t *testing.T, _, file string) { must(t, os.Chmod(file, 0o666)) }, "chmod 600"},
		"a file of a user":            {func(t *testing.T, _, file string) { must(t, os.Chown(file, 10001, 10001)) }, ": name another one, or, if it is for this server alone, run chown"},
		"a link to a file": {func(t *testing.T, _, file string) {
			must(t, os.Rename(file, file+".there"))
			must(t, os.Symlink(file+".there", file))
		}, "symbolic link"},
		"a link to nothing": {func(t *testing.T, dir, file string) {
			must(t, os.Remove(file))
			must(t, os.Symlink(filepath.Join(dir, "nothing"), file))
		}, "symbolic link"},
		"a pipe": {func(t *testing.T, _, file string) {
			must(t, os.Remove(file))
			must(t, syscall.Mkfifo(file, 0o600))
		}, "not a regular file"},
		"a directory that is a link to nothing": {func(t *testing.T, dir, _ string) {
			must(t, os.RemoveAll(dir))
			must(t, os.Symlink(dir+".nothing", dir))
		}, "which is not there"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			s, err := bolt.Open(dir)
			must(t, err)
			must(t, s.Close())
			row.spoil(t, dir, filepath.Join(dir, "functions.db"))
			if s, err = bolt.Open(dir); err == nil {
				must(t, s.Close())
				t.Fatal("it was opened")
			}
			wantText(t, err, row.want, dir)
			if strings.Contains(name, "sticky") && strings.Contains(err.Error(), "chmod") {
				t.Errorf("the mode of a directory that is for everybody is to be changed: %v", err)
			}
			for _, made := range []string{dir + ".nothing", filepath.Join(dir, "nothing")} {
				if _, err := os.Lstat(made); err == nil {
					t.Errorf("%s was made", made)
				}
			}
		})
	}
}

func TestAStoreIsItsOwnersAlone(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := filepath.Join(t.TempDir(), "a", "data")
	s, err := bolt.Open(dir)
	must(t, err)
	must(t, s.Close())
	file := filepath.Join(dir, "functions.db")
	must(t, os.Chmod(file, 0o644)) // as a copy may be
	put(t, open(t, dir), function.Ref{Namespace: "ns", ID: "id"}, "1", nil)
	for path, want := range map[string]os.FileMode{filepath.Dir(dir): 0o700, dir: 0o700, file: 0o640} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has the mode %v, %v", path, info.Mode(), err)
		}
	}
}

func TestADirectoryMayBeALinkOrOpenToAGroup(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o770))
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(dir, link))
	put(t, open(t, link), function.Ref{Namespace: "ns", ID: "id"}, "1", nil)
}
