package server

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/identity"
)

func TestTheAdministratorsKeyIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "admin.key")
	log := slog.New(slog.DiscardHandler)
	var mu sync.Mutex
	ids, made := map[string]int{}, 0
	var servers sync.WaitGroup
	for range 8 {
		servers.Go(func() {
			key, isNew, err := adminKey(path, log)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			ids[key.ID]++
			if isNew {
				made++
			}
		})
	}
	servers.Wait()
	if len(ids) != 1 || made != 1 {
		t.Errorf("8 servers have the keys %v, %d of them made", ids, made)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != fs.FileMode(0o600) {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".key-*")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := adminKey(path, log)
	if err != nil {
		t.Fatal(err)
	}
	ring := identity.NewKeyring(key)
	if found, err := ring.Find(strings.TrimSpace(string(text)), key.Created); err != nil || !found.May(identity.Admin, "x") {
		t.Errorf("its text opens %+v, %v", found, err)
	}
}

func TestAFileWithoutAKeyIsNoKey(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "another": "password", "long": strings.Repeat("x", 1<<20)} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := adminKey(path, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "has no key: delete the file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := adminKey(dir, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "regular file") {
		t.Errorf("a folder: %v", err)
	}
	if _, _, err := adminKey(filepath.Join(dir, "empty", "key"), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a file below a file is made")
	}
}

func TestAKeyThatOthersMayReadIsWarnedOf(t *testing.T) {
	path, log := filepath.Join(t.TempDir(), "key"), new(strings.Builder)
	_, token := identity.New(identity.Key{})
	for mode, want := range map[fs.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true} {
		log.Reset()
		_ = os.Remove(path)
		if err := os.WriteFile(path, []byte(token), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, _, err := adminKey(path, slog.New(slog.NewTextHandler(log, nil))); err != nil {
			t.Error(err)
		}
		if got := strings.Contains(log.String(), "chmod 600"); got != want || strings.Contains(log.String(), token) {
			t.Errorf("mode %o: the log says %q", mode, log)
		}
	}
}
