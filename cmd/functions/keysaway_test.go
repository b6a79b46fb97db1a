package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// TestKeysWhileRedisIsAway has three servers on one Redis, two of them by one cable and the third by another. What is
// known goes on, what is new is refused, and a revocation is in force where it was heard of, elsewhere after the cut.
func TestKeysWhileRedisIsAway(t *testing.T) {
	network := testenv.NewNetwork(t, 2)
	network.Redis()
	file := filepath.Join(t.TempDir(), "admin.key")
	start := func(cable int) *server {
		return startServer(t, "REDIS_ENDPOINT=redis://"+network.RedisAddr(cable), "AUTH=on", "ADMIN_KEY_FILE="+file,
			"POOL_SIZE=4", "TRUSTED_PROXIES=127.0.0.1")
	}
	a, b, c := start(0), start(0), start(1)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	admin := strings.TrimSpace(string(text))
	const code = `"code":"function main(req, res) { res.send(1) }"}`
	const run, hook = "/functions/n/f/run", "/functions/n/hook/run"
	for path, body := range map[string]string{
		"/functions/n/f": "{" + code, "/functions/n/hook": `{"access":"public",` + code,
	} {
		if status, answer := as(t, admin, "PUT", a.url+path, body); status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, answer)
		}
	}
	id, invoke := newKey(t, admin, a.url, `{"role":"invoke","namespaces":["n"]}`)
	_, deploy := newKey(t, admin, a.url, `{"role":"deploy","namespaces":["n"]}`)
	becomes := func(what string, s *server, key, method, path string, want int) {
		t.Helper()
		header := []string{"X-Forwarded-For", "192.0.2.1"} // whose failures are not those of the other requests
		if key != "" {
			header = append(header, "Authorization", "Bearer "+key)
		}
		eventually(t, what, func() bool {
			res, _ := s.request(t, method, path, "", header...)
			return res.StatusCode == want
		})
	}
	for _, s := range []*server{a, b, c} { // all keep keys and functions in memory
		becomes("the key is known", s, invoke, "PUT", run, 200)
		becomes("the key is known", s, deploy, "GET", "/functions/n/f", 200)
		becomes("the function is public", s, "", "PUT", hook, 200)
	}
	holds := func(name string, s *server) {
		t.Helper()
		for _, row := range []struct {
			key, method, path, body string
			want                    int
		}{
			{invoke, "PUT", run, "{}", 200},
			{deploy, "PUT", run, "{}", 200},
			{"", "PUT", hook, "{}", 200},
			{"", "PUT", run, "{}", 401},
			{invoke + "x", "PUT", run, "{}", 401},
			{invoke, "PUT", "/functions/n/f", "{" + code, 403},
			{invoke, "PUT", "/functions/other/f/run", "{}", 403},
			{deploy, "PUT", "/functions/n/another", "{" + code, 503},
			{admin, "POST", "/keys", `{"role":"invoke","namespaces":["n"]}`, 503},
			{admin, "DELETE", "/keys/" + id, "", 503},
			{admin, "GET", "/status/isolation", "", 200},
		} {
			if status, answer := as(t, row.key, row.method, s.url+row.path, row.body); status != row.want {
				t.Errorf("%s: %s %s: %d %s, want %d", name, row.method, row.path, status, answer, row.want)
			}
		}
	}

	network.Cut(1)
	holds("the third server is cut off", c)
	late := start(1)
	status, answer := as(t, invoke, "PUT", late.url+run, "{}")
	if status != 503 || !strings.Contains(answer, "keys_unknown") {
		t.Errorf("a server that starts without Redis: %d %s", status, answer)
	}
	if status, _ := as(t, admin, "GET", late.url+"/status/isolation", ""); status != 200 {
		t.Errorf("the key of the administrator there: %d", status)
	}
	if status, answer := as(t, admin, "DELETE", a.url+"/keys/"+id, ""); status != http.StatusNoContent {
		t.Fatalf("%d %s", status, answer)
	}
	becomes("who hears of it refuses the key", b, invoke, "PUT", run, 401)
	if status, answer := as(t, invoke, "PUT", c.url+run, "{}"); status != 200 {
		t.Errorf("who cannot hear of it: %d %s", status, answer)
	}
	revoked := invoke
	id, invoke = newKey(t, admin, a.url, `{"role":"invoke","namespaces":["n"]}`)
	network.Heal(1)
	for _, s := range []*server{c, late} {
		becomes("the new key is known after the cut", s, invoke, "PUT", run, 200)
		becomes("the old one is refused", s, revoked, "PUT", run, 401)
	}
	for _, s := range []*server{a, b} {
		becomes("the new key is known", s, invoke, "PUT", run, 200)
	}
	network.Cut(0)
	network.Cut(1)
	var all sync.WaitGroup
	for name, s := range map[string]*server{"first": a, "second": b, "third": c} {
		all.Go(func() { holds("all are cut off, the "+name, s) }) // what is refused waits for Redis
	}
	all.Wait()
	network.Heal(0)
	network.Heal(1)
	becomes("a revocation is taken again", a, admin, "DELETE", "/keys/"+id, http.StatusNoContent)
	for _, s := range []*server{a, b, c, late} {
		becomes("the key is refused", s, invoke, "PUT", run, 401)
	}
}
