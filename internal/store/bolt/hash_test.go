package bolt_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/bolt"
)

// Code that is not what was stored is not given out. Pages have no checksum in bbolt: the file opens as ever.
func TestCodeThatDoesNotMatchItsHashIsRefused(t *testing.T) {
	sound := stored(t)
	altered := function.Ref{Namespace: "ns1", ID: "7"}
	for name, damage := range map[string]func([]byte) []byte{
		"another name": func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(`"code":"// marker 7 `), []byte(`"cxde":"// marker 7 `))
		},
		"other code": func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("// marker 7 "), []byte("// harmful! ")) },
		"another hash": func(b []byte) []byte {
			hash := function.HashOf("// marker 7" + strings.Repeat(" ", 10_000))
			return bytes.ReplaceAll(b, []byte(hash), []byte(function.HashOf("")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			damaged := damage(bytes.Clone(sound))
			if bytes.Equal(damaged, sound) {
				t.Fatal("nothing was damaged")
			}
			dir := t.TempDir()
			path := filepath.Join(dir, "functions.db")
			must(t, os.WriteFile(path, damaged, 0o600))
			found, err := bolt.CheckFile(path)
			must(t, err)
			s := open(t, dir)
			for _, d := range []bolt.Damage{found, s.Damage()} {
				if d.Count != 1 || d.String() != altered.String() {
					t.Errorf("found are %d: %s", d.Count, d)
				}
			}
			if f, err := s.Get(t.Context(), altered); !errors.Is(err, function.ErrDamaged) ||
				!strings.Contains(err.Error(), "ns1/7") {
				t.Errorf("got %+v, %v", f, err)
			}
			if err := s.SetEnv(t.Context(), altered, "A", "1"); !errors.Is(err, function.ErrDamaged) {
				t.Errorf("its environment was written: %v", err)
			}
			if _, err := s.Get(t.Context(), function.Ref{Namespace: "ns1", ID: "10"}); err != nil {
				t.Errorf("another function: %v", err)
			}
			put(t, s, altered, "mended", nil)
			if f, err := s.Get(t.Context(), altered); err != nil || f.Code != "mended" {
				t.Errorf("after a PUT: %+v, %v", f, err)
			}
		})
	}
}

func TestDamageNamesTheFirstFunctions(t *testing.T) {
	damaged := bytes.ReplaceAll(stored(t), []byte(`"code":"`), []byte(`"cxde":"`))
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "functions.db"), damaged, 0o600))
	d := open(t, dir).Damage()
	if d.Count != 20 || len(d.First) != 10 || !strings.HasPrefix(d.String(), "ns0/0, ns0/12, ") ||
		!strings.HasSuffix(d.String(), ", 10 more") {
		t.Errorf("found are %d: %s", d.Count, d)
	}
}
