package server

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/store/mem"
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
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		log := new(strings.Builder)
		_, _, err := adminKey(path, slog.New(slog.NewTextHandler(log, nil)))
		if err == nil || !strings.Contains(err.Error(), "has no key: name another file; or, if this one was to have it, delete it") {
			t.Errorf("%s: %v", name, err)
		}
		if log.Len() > 0 {
			t.Errorf("%s: the mode of a file that is no key is told: %s", name, log)
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

func TestAMistypedFolderGetsNoKey(t *testing.T) {
	there := t.TempDir()
	missing := filepath.Join(there, "nope")
	for _, row := range []struct{ folder, data, fault string }{
		{missing, there, missing + " is not there, so neither is a key in it: name another file"},
		{there, missing, ""},
		{missing, missing, ""},              // the default
		{missing + "/../nope", missing, ""}, // it too
	} {
		err := checkKeyFolder(&config.Config{AdminKeyFile: row.folder + "/admin.key", DataDir: row.data})
		if got := fmt.Sprint(err); row.fault == "" && err != nil || !strings.HasPrefix(got, row.fault) {
			t.Errorf("%+v: %v", row, err)
		}
	}
	cfg := &config.Config{Auth: config.AuthOn, AdminKeyFile: filepath.Join(missing, "x"), DataDir: there}
	if _, err := (&server{cfg: cfg, store: mem.New()}).openKeys(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "ADMIN_KEY_FILE: ") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("the folder was made")
	}
}
