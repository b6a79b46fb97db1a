package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/store/bolt"
)

func TestABackupOfARunningServerIsRestored(t *testing.T) {
	dir, folder := t.TempDir(), t.TempDir()
	s := startServer(t, "DATA_DIR="+dir)
	put(t, s.url+"/functions/ns/fn", `function main(req, res) { res.send(Backstage.env.A) }`, "")
	if status, body := request(t, "PUT", s.url+"/functions/ns/fn/env/A", `"1"`); status != http.StatusNoContent {
		t.Fatalf("got %d %s", status, body)
	}
	t.Setenv("DATA_DIR", dir)
	file := filepath.Join(folder, "backup.db")
	if err := run(t.Context(), []string{"backup", file}, new(strings.Builder)); err != nil {
		t.Fatal(err)
	}
	var streamed strings.Builder
	if err := run(t.Context(), []string{"backup", "-"}, &streamed); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || int64(streamed.Len()) != info.Size() {
		t.Errorf("the file is %v, %v; %d bytes were streamed", info, err, streamed.Len())
	}
	put(t, s.url+"/functions/ns/fn", `function main(req, res) { res.send(2) }`, "") // after the backup
	restored := t.TempDir()
	if err := os.Rename(file, filepath.Join(restored, "functions.db")); err != nil {
		t.Fatal(err)
	}
	s = startServer(t, "DATA_DIR="+restored)
	if status, body := request(t, "PUT", s.url+"/functions/ns/fn/run", "{}"); status != http.StatusOK || body != `"1"` {
		t.Errorf("restored: %d %s", status, body)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) > 0 {
		t.Errorf("left are %v, %v", files, err)
	}
}

func TestABackupNeedsNoServer(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DATA_DIR", dir)
	file := filepath.Join(t.TempDir(), "backup.db")
	wantBackupError := func(want string, args ...string) {
		t.Helper()
		if err := run(t.Context(), append([]string{"backup"}, args...), new(strings.Builder)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
	wantBackupError("no such file", file)
	if _, err := os.Stat(file); err == nil {
		t.Error("a backup of nothing was made")
	}
	store, err := bolt.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"backup", file}, new(strings.Builder)); err != nil {
		t.Fatal(err)
	}
	wantBackupError("name another file", file)
	wantBackupError("the directory /nonexist/there is not there", "/nonexist/there/x")
	wantBackupError("usage")
	wantBackupError("usage", file, file)
	t.Setenv("STORAGE", "inmemory")
	wantBackupError("inmemory", file)
	t.Setenv("STORAGE", "redis")
	wantBackupError("redis-cli --rdb", file)
}
