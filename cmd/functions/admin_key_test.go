package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAKeyThatWasPrintedIsTheAdministrators(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), []string{"admin-key"}, &out); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "admin.key")
	if err := os.WriteFile(file, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "AUTH=on", "ADMIN_KEY_FILE="+file, "STORAGE=inmemory", "POOL_SIZE=4")
	if status, answer := as(t, strings.TrimSpace(out.String()), "GET", s.url+"/keys", ""); status != http.StatusOK {
		t.Errorf("%d %s", status, answer)
	}
}
