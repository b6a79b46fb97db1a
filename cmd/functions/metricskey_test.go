package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMetricsAskForKeys(t *testing.T) {
	outside := outsideAddress(t)
	for _, auth := range []string{"on", "log"} {
		file := filepath.Join(t.TempDir(), "admin.key")
		s := startServer(t, "HOST=", "AUTH="+auth, "METRICS_AUTH=on", "ADMIN_KEY_FILE="+file, "PPROF=true", "STORAGE=inmemory", "POOL_SIZE=4")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		admin := strings.TrimSpace(string(text))
		_, all := newKey(t, admin, s.url, `{"role":"invoke","namespaces":["*"]}`)
		id, one := newKey(t, admin, s.url, `{"role":"deploy","namespaces":["n"]}`)
		const profile = "/debug/pprof/cmdline"
		for _, row := range []struct {
			key, path string
			want      int
		}{
			{"", "/metrics", 401},
			{"fn_x", "/metrics", 401},
			{one, "/metrics", 403},
			{all, "/metrics", 200},
			{admin, "/metrics", 200},
			{"", profile, 401},
			{all, profile, 403},
			{admin, profile, 200},
			{"", "/livez", 200},
			{"", "/metrics?key=" + all, 400},
		} {
			for _, url := range []string{s.metrics, strings.Replace(s.metrics, "127.0.0.1", outside, 1)} {
				status, answer := as(t, row.key, "GET", url+row.path, "")
				if status != row.want {
					t.Errorf("AUTH=%s: %s with %.9s: %d %.200s, want %d", auth, row.path, row.key, status, answer, row.want)
				}
			}
		}
		if _, answer := as(t, admin, "GET", s.url+"/audit", ""); !strings.Contains(answer, id) {
			t.Errorf("nothing tells of a refusal: %s", answer)
		}
		if status, answer := as(t, admin, "GET", s.url+"/metrics", ""); status != http.StatusNotFound {
			t.Errorf("the API's port: %d %s", status, answer)
		}
	}
}
