package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Somebody edited the file: what is not the code that was stored is not run, and the start tells of it.
func TestAlteredCodeIsNotRun(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, "DATA_DIR="+dir)
	put(t, s.url+"/functions/ns/altered", `function main(req, res) { res.send("sound") }`, "")
	put(t, s.url+"/functions/ns/al%E2%80%AEtered", `function main(req, res) { res.send("sound") }`, "") // a name that a terminal would turn round
	put(t, s.url+"/functions/ns/sound", `function main(req, res) { res.send("other") }`, "")
	s.stop(t)
	path := filepath.Join(dir, "functions.db")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.ReplaceAll(string(text), "sound\\\"", "wrong\\\""))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s = startServer(t, "DATA_DIR="+dir)
	if started := s.logs.text(); !strings.Contains(started, "does not match its hash") || !strings.Contains(started, "ns/altered") {
		t.Errorf("the start says nothing of it:\n%s", started)
	}
	const shown, hidden = `ns/al\u202etered`, "\u202e"
	if started := s.logs.text(); strings.Contains(started, hidden) || !strings.Contains(started, shown) {
		t.Errorf("the start says\n%s", started)
	}
	t.Setenv("DATA_DIR", dir)
	var told strings.Builder
	if err := run(t.Context(), []string{"backup", filepath.Join(t.TempDir(), "copy.db")}, &told); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(told.String(), hidden) || !strings.Contains(told.String(), shown) {
		t.Errorf("the backup says\n%s", &told)
	}
	for _, call := range []struct{ method, path string }{
		{"GET", "/functions/ns/altered"},
		{"POST", "/functions/ns/altered/run"},
		{"PUT", "/functions/pipeline?steps[0]=ns/sound&steps[1]=ns/altered"},
	} {
		status, answer := request(t, call.method, s.url+call.path, "{}")
		if status != http.StatusInternalServerError || !strings.Contains(answer, "is damaged") {
			t.Errorf("%s %s: %d %s", call.method, call.path, status, answer)
		}
	}
	s.logs.await(t, `(Request failed.*record of ns/altered)`)
	if status, answer := request(t, "POST", s.url+"/functions/ns/sound/run", "{}"); status != http.StatusOK || answer != `"other"` {
		t.Errorf("another function: %d %s", status, answer)
	}
	put(t, s.url+"/functions/ns/altered", `function main(req, res) { res.send("mended") }`, "")
	if status, answer := request(t, "POST", s.url+"/functions/ns/altered/run", "{}"); status != http.StatusOK || answer != `"mended"` {
		t.Errorf("after a PUT: %d %s", status, answer)
	}
}
