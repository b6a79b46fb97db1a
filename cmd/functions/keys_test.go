package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// as makes a request with a key; an empty one is none.
func as(t testing.TB, key, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// newKey makes a key and returns its ID and its text.
func newKey(t testing.TB, admin, url, body string) (id, key string) {
	t.Helper()
	status, text := as(t, admin, "POST", url+"/keys", body)
	var made struct{ ID, Key string }
	if err := json.Unmarshal([]byte(text), &made); status != http.StatusCreated || err != nil {
		t.Fatalf("answered %d %s", status, text)
	}
	return made.ID, made.Key
}

func TestKeysOpenWhatTheyAreForOnEveryStore(t *testing.T) {
	onEveryStore(t, func(t *testing.T, storage string) {
		s, admin := adminOf(t, storage)
		deployID, deploy := newKey(t, admin, s.url, `{"role":"deploy","namespaces":["a"]}`)
		_, invoke := newKey(t, admin, s.url, `{"role":"invoke","namespaces":["a"]}`)
		const code = `{"code":"function main(req, res) { res.send(Object.keys(req.headers).sort().join()) }"}`
		for _, row := range []struct {
			key, method, path, body string
			status                  int
		}{
			{deploy, "PUT", "/functions/a/f", code, 200},
			{deploy, "PUT", "/functions/b/f", code, 403},
			{invoke, "PUT", "/functions/a/f", code, 403},
			{"", "PUT", "/functions/a/f", code, 401},
			{"", "PUT", "/functions/a/f/run", "{}", 401},
			{invoke, "PUT", "/FUNCTIONS/a/f/run", "{}", 200},
			{invoke, "PUT", "/functions/b/f/run", "{}", 403},
			{"", "PUT", "/FUNCTIONS/a/f/run", "{}", 401},
			{invoke, "PUT", "/functions/pipeline?steps[0]=a/f&steps[1]=a/f", "{}", 200},
			{invoke, "PUT", "/functions/pipeline?steps[0]=a/f&steps[1]=b/f", "{}", 403},
			{invoke, "PUT", "/functions/pipeline?steps[21]=b/f", "{}", 403},
			{admin, "PUT", "/routes/r", `{"path":"/x","function":"b/f"}`, 200},
			{invoke, "GET", "/x", "", 403},
			{"", "GET", "/x", "", 401},
			{"", "GET", "/livez", "", 200},
			{deploy, "PUT", "/functions/a/hook", strings.Replace(code, "{", `{"access":"public",`, 1), 200},
			{"", "PUT", "/functions/a/hook/run", "{}", 200},
			{"", "GET", "/functions/a/hook", "{}", 401},
			{deploy, "PUT", "/functions/a/hook", strings.Replace(code, "{", `{"access":"key",`, 1), 200},
			{"", "PUT", "/functions/a/hook/run", "{}", 401},
			{admin, "DELETE", "/keys/" + deployID, "", 204},
			{deploy, "PUT", "/functions/a/f", code, 401},
		} {
			if status, answer := as(t, row.key, row.method, s.url+row.path, row.body); status != row.status {
				t.Errorf("%s %s with %.8s: %d %s, want %d", row.method, row.path, row.key, status, answer, row.status)
			}
		}
		if _, answer := as(t, invoke, "PUT", s.url+"/functions/a/f/run", "{}"); strings.Contains(answer, "authorization") {
			t.Errorf("the function sees the headers %s", answer)
		}
		s.stop(t)
		s.logs.rest()
		if all := s.logs.text(); strings.Contains(all, admin) || strings.Contains(all, invoke) {
			t.Error("a key is in the log")
		}
	})
}

// One server makes a key, which another one takes, and revokes it.
func TestKeysAreKnownToAllServersOfAStore(t *testing.T) {
	redis := testenv.Redis(t)
	file := filepath.Join(t.TempDir(), "admin.key")
	start := func() *server {
		return startServer(t, "REDIS_ENDPOINT=redis://"+redis.Addr, "AUTH=on", "ADMIN_KEY_FILE="+file, "POOL_SIZE=4")
	}
	a, b := start(), start()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	admin := strings.TrimSpace(string(text))
	id, key := newKey(t, admin, a.url, `{"role":"deploy","namespaces":["a"]}`)
	eventually(t, "the other server takes the key", func() bool {
		status, _ := as(t, key, "GET", b.url+"/functions?namespace=a", "")
		return status == http.StatusOK
	})
	if status, answer := as(t, admin, "DELETE", b.url+"/keys/"+id, ""); status != http.StatusNoContent {
		t.Fatalf("answered %d %s", status, answer)
	}
	if status, answer := as(t, key, "GET", b.url+"/functions?namespace=a", ""); status != http.StatusUnauthorized {
		t.Errorf("where it was revoked: %d %s", status, answer)
	}
	eventually(t, "the first server refuses the key", func() bool {
		status, _ := as(t, key, "GET", a.url+"/functions?namespace=a", "")
		return status == http.StatusUnauthorized
	})
	redis.Stop()
	if status, answer := as(t, key, "GET", a.url+"/functions?namespace=a", ""); status != http.StatusUnauthorized {
		t.Errorf("while Redis is away: %d %s", status, answer)
	}
}

// What a call streams ends with the key that began it.
func TestStreamsEndWithTheirKeys(t *testing.T) {
	s, admin := adminOf(t)
	code := deployment(`function main(req, res) { res.write('begun'); res.flush() }`, `"body":"raw"`)
	if status, answer := as(t, admin, "PUT", s.url+"/functions/a/f", code); status != http.StatusOK {
		t.Fatal(answer)
	}
	id, key := newKey(t, admin, s.url, `{"role":"invoke","namespaces":["a"]}`)
	stream := begun(t, key, s.url+"/functions/a/f/run", "begun")
	if status, answer := as(t, admin, "DELETE", s.url+"/keys/"+id, ""); status != http.StatusNoContent {
		t.Fatal(answer)
	}
	if _, err := io.ReadAll(stream); err == nil {
		t.Error("the stream ended as if it were whole")
	}
}
