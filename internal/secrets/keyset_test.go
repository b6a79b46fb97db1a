package secrets

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
)

func newKeyset(t *testing.T) *Keyset {
	t.Helper()
	k, err := NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// secret is one with that sealed value.
func secretOf(namespace, id, name string) *function.Secret {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	return &function.Secret{
		SecretRef: function.SecretRef{SecretScope: function.SecretScope{Namespace: namespace, ID: id}, Name: name},
		Version:   2, Created: at, Updated: at.Add(time.Hour),
	}
}

func sealed(t *testing.T, k *Keyset, s *function.Secret, value string) *function.Secret {
	t.Helper()
	text, err := k.seal(s, []byte(value))
	if err != nil {
		t.Fatal(err)
	}
	return s.With(text)
}

func TestAValueIsOpenedWhereItWasSealedAlone(t *testing.T) {
	k := newKeyset(t)
	s := sealed(t, k, secretOf("ns", "id", "A"), "the value")
	if value, err := k.open(s); err != nil || string(value) != "the value" {
		t.Fatalf("got %q, %v", value, err)
	}
	if bytes.Contains(s.Sealed, []byte("value")) {
		t.Error("it is not encrypted")
	}
	for name, change := range map[string]func(*function.Secret){
		"another name":         func(s *function.Secret) { s.Name = "B" },
		"another function":     func(s *function.Secret) { s.ID = "other" },
		"the namespace":        func(s *function.Secret) { s.ID = "" },
		"another namespace":    func(s *function.Secret) { s.Namespace = "other" },
		"parts that move":      func(s *function.Secret) { s.Namespace, s.ID = "n", "sid" },
		"another version":      func(s *function.Secret) { s.Version++ },
		"another time":         func(s *function.Secret) { s.Updated = s.Updated.Add(time.Millisecond) },
		"another first time":   func(s *function.Secret) { s.Created = s.Created.Add(time.Millisecond) },
		"the ID of a key":      func(s *function.Secret) { s.Sealed[1] ^= 1 },
		"no prefix":            func(s *function.Secret) { s.Sealed[0] = 7 },
		"a changed byte":       func(s *function.Secret) { s.Sealed[len(s.Sealed)-1] ^= 1 },
		"a missing byte":       func(s *function.Secret) { s.Sealed = s.Sealed[:len(s.Sealed)-1] },
		"the prefix alone":     func(s *function.Secret) { s.Sealed = s.Sealed[:prefixSize] },
		"nothing":              func(s *function.Secret) { s.Sealed = nil },
		"a record that is not": func(s *function.Secret) { s.Version = 0 },
	} {
		changed := s.Clone()
		change(changed)
		if value, err := k.open(changed); !errors.Is(err, errDamaged) {
			t.Errorf("as %s it is %q, %v", name, value, err)
		}
	}
	if _, err := newKeyset(t).open(s); !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), "which is not in") {
		t.Errorf("another keyset says %v", err)
	}
}

func TestARotatedKeysetReadsWhatWasThere(t *testing.T) {
	first := newKeyset(t)
	old := sealed(t, first, secretOf("ns", "", "A"), "1")
	prepared, err := first.Prepared()
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := prepared.Rotated()
	if err != nil {
		t.Fatal(err)
	}
	again, err := rotated.Rotated()
	if err != nil {
		t.Fatal(err)
	}
	if prepared.Primary() != first.Primary() || len(prepared.IDs()) != 2 {
		t.Errorf("prepared: %v, primary %d", prepared.IDs(), prepared.Primary())
	}
	if rotated.Primary() == first.Primary() || len(rotated.IDs()) != 2 || len(again.IDs()) != 3 {
		t.Errorf("rotated: %v, primary %d; again: %v", rotated.IDs(), rotated.Primary(), again.IDs())
	}
	next := sealed(t, rotated, secretOf("ns", "", "A"), "2")
	for name, k := range map[string]*Keyset{"prepared": prepared, "rotated": rotated, "again": again} {
		if value, err := k.open(old); err != nil || string(value) != "1" {
			t.Errorf("%s: got %q, %v", name, value, err)
		}
		if value, err := k.open(next); err != nil || string(value) != "2" {
			t.Errorf("%s: got %q, %v", name, value, err)
		}
	}
	if _, err := first.open(next); !errors.Is(err, errDamaged) {
		t.Errorf("the first keyset opens it: %v", err)
	}
}

func TestTheFileOfAKeysetIsForItsUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "keyset")
	k, err := CreateKeyset(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	if _, err := CreateKeyset(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second one: %v", err)
	}
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, nil))
	read, err := ReadKeyset(path, log)
	if err != nil || read.Primary() != k.Primary() || said.Len() > 0 {
		t.Errorf("got %v, %v, said %s", read, err, said.String())
	}
	next, err := read.Rotated()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Symlink(path, link), os.Chmod(path, 0o440), ReplaceKeyset(link, next)); err != nil {
		t.Fatal(err)
	}
	if read, err = ReadKeyset(link, log); err != nil || read.Primary() != next.Primary() {
		t.Errorf("after it was replaced: %v, %v", read, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o440 || !strings.Contains(said.String(), "chmod 600") {
		t.Errorf("the file is %v, %v, said %s", info.Mode(), err, said.String())
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestWhatIsNoKeysetIsNotShown(t *testing.T) {
	dir := t.TempDir()
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, nil))
	for name, text := range map[string]string{
		"empty": "", "text": "canary", "object": `{"primaryKeyId":1,"key":"canary"}`,
		"key": `{"primaryKeyId":1,"key":[{"keyData":{"value":"canary"}}]}`,
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadKeyset(path, log); err == nil || strings.Contains(err.Error(), "canary") ||
			!strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "name another file") {
			t.Errorf("%s: %v", name, err)
		}
		if said.Len() > 0 {
			t.Errorf("%s: the mode of a file that is no keyset is told: %s", name, said.String())
		}
	}
	if _, err := ReadKeyset(dir, log); err == nil || !strings.Contains(err.Error(), "regular") {
		t.Errorf("a directory: %v", err)
	}
	if _, err := ReadKeyset(filepath.Join(dir, "none"), log); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing one: %v", err)
	}
}
