package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// paying makes a request outside.
const paying = `function main(req, res) {
	require('request')(req.body.at, function (error) {
		if (error) throw error
		res.status(201)
		res.send({ paid: true })
	})
}`

// idempotencyStores are variables of servers with each of the stores.
func idempotencyStores(t *testing.T) map[string][]string {
	t.Helper()
	return map[string][]string{
		"redis":    {"REDIS_ENDPOINT=redis://" + testenv.Redis(t).Addr},
		"embedded": {"STORAGE=embedded", "DATA_DIR=" + t.TempDir()},
		"memory":   {"STORAGE=inmemory"},
	}
}

// TestARepeatedRequestGetsTheAnswerOfTheFirst calls functions with every store, and with one of them on every runtime.
func TestARepeatedRequestGetsTheAnswerOfTheFirst(t *testing.T) {
	for store, vars := range idempotencyStores(t) {
		t.Run(store, func(t *testing.T) {
			names := runtimes
			if store != "redis" {
				names = someRuntimes()
			}
			s := startServer(t, append(vars, runtimesVariable(t, names...), "CALLS_KEPT=all")...)
			for _, name := range names {
				path := "/functions/pay/" + name
				put(t, s.url+path, `function main(req, res) {
					res.set('X-N', '1')
					res.status(201)
					res.send({ n: Math.random(), body: req.body })
				}`,
					`"idempotency":"sync","runtime":"`+name+`"`)
				first, body := s.request(t, "PUT", path+"/run", `{"a":1}`, "Idempotency-Key", `"`+name+`"`)
				again, same := s.request(t, "PUT", path+"/run", `{"a":1}`, "Idempotency-Key", name)
				if first.StatusCode != 201 || again.StatusCode != 201 || same != body || again.Header.Get("X-N") != "1" ||
					again.Header.Get("Etag") != first.Header.Get("Etag") || first.Header.Get("Idempotent-Replayed") != "" ||
					again.Header.Get("Idempotent-Replayed") != "true" {
					t.Errorf("%s: %d %s, then %d %s %v", name, first.StatusCode, body, again.StatusCode, same, again.Header)
				}
				if res, body := s.request(t, "PUT", path+"/run", `{"a":2}`, "Idempotency-Key", name); res.StatusCode != 422 {
					t.Errorf("%s: another body: %d %s", name, res.StatusCode, body)
				}
				for _, header := range [][]string{nil, {"Idempotency-Key", name + "2"}} {
					if res, other := s.request(t, "PUT", path+"/run", `{"a":1}`, header...); res.StatusCode != 201 || other == body {
						t.Errorf("%s: %v: %d %s", name, header, res.StatusCode, other)
					}
				}
				c, _ := failedRecord(t, s, path, first.Header.Get("X-Request-Id")) // which has succeeded
				if c.Status != "succeeded" || c.Kind != "run" {
					t.Errorf("%s: the record is %+v", name, c)
				}
				status, list := request(t, "GET", s.url+path+"/invocations", "")
				if status != http.StatusOK || strings.Contains(list, again.Header.Get("X-Request-Id")) {
					t.Errorf("%s: what was told again has a record: %s", name, list)
				}
			}
			s.awaitMetric(t, fmt.Sprintf(`functions_calls_keys_total{result="replayed"} %d`, len(names)))
			s.awaitMetric(t, fmt.Sprintf(`functions_calls_keys_total{result="reused"} %d`, len(names)))
		})
	}
}

// TestOneOfManyRequestsRuns sends requests with one key to three servers at the same time.
func TestOneOfManyRequestsRuns(t *testing.T) {
	outside := newCounted(t)
	redis := testenv.Redis(t)
	var servers []*server
	for range 3 {
		servers = append(servers, startServer(t, "REDIS_ENDPOINT=redis://"+redis.Addr, "POOL_SIZE=4",
			"CODE_ASYNC_TIMEOUT=10m", "EGRESS_ALLOW="+outside.Listener.Addr().String()))
	}
	put(t, servers[0].url+"/functions/pay/f", paying, `"idempotency":"sync"`)
	body := fmt.Sprintf(`{"at":"%s/two"}`, outside.URL)
	var all sync.WaitGroup
	statuses := make(chan int, 12)
	for i := range cap(statuses) {
		all.Go(func() {
			res, _ := servers[i%3].request(t, "PUT", "/functions/pay/f/run", body, "Idempotency-Key", "k")
			statuses <- res.StatusCode
		})
	}
	for range cap(statuses) - 1 { // all but the one that runs
		if status := <-statuses; status != http.StatusConflict {
			t.Errorf("answered %d", status)
		}
	}
	close(outside.open)
	all.Wait()
	if status := <-statuses; status != http.StatusCreated || outside.of("/two") != 1 {
		t.Errorf("answered %d after %d payments", status, outside.of("/two"))
	}
	for _, s := range servers {
		if res, text := s.request(t, "PUT", "/functions/pay/f/run", body, "Idempotency-Key", "k"); res.StatusCode != 201 ||
			res.Header.Get("Idempotent-Replayed") != "true" || outside.of("/two") != 1 {
			t.Errorf("answered %d %s after %d payments", res.StatusCode, text, outside.of("/two"))
		}
	}
}

// askOnce makes a request with the key k that is not answered.
func askOnce(ctx context.Context, t *testing.T, s *server, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, "PUT", s.url+"/functions/pay/f/run", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "k")
	if res, err := http.DefaultClient.Do(r); err == nil {
		_ = res.Body.Close()
		t.Errorf("answered %d", res.StatusCode)
	}
}

// TestAKilledServerFreesItsKeys kills a server (SIGKILL) while it runs a call. Until its lease is over nobody runs the
// call again, then one does.
func TestAKilledServerFreesItsKeys(t *testing.T) {
	for store, vars := range idempotencyStores(t) {
		if store == "memory" { // which ends with its server
			continue
		}
		t.Run(store, func(t *testing.T) {
			outside := newCounted(t)
			start := func() *server {
				return startServer(t, append(vars, "CALLS_LEASE=3s", "POOL_SIZE=4", "CODE_ASYNC_TIMEOUT=10m",
					"EGRESS_ALLOW="+outside.Listener.Addr().String())...)
			}
			s := start()
			put(t, s.url+"/functions/pay/f", paying, `"idempotency":"sync"`)
			body := fmt.Sprintf(`{"at":"%s/two"}`, outside.URL)
			ask := func(s *server) (*http.Response, string) {
				return s.request(t, "PUT", "/functions/pay/f/run", body, "Idempotency-Key", "k")
			}
			killed := make(chan struct{})
			go func() {
				defer close(killed)
				askOnce(t.Context(), t, s, body)
			}()
			eventually(t, "the call to run", func() bool { return outside.of("/two") == 1 })
			if res, text := ask(s); res.StatusCode != 409 || !strings.Contains(text, "idempotency_key_in_use") {
				t.Errorf("while it runs: %d %s", res.StatusCode, text)
			}
			s.kill(t)
			<-killed
			close(outside.open)
			s = start()
			var seen []int
			eventually(t, "the lease to end", func() bool {
				res, _ := ask(s)
				seen = append(seen, res.StatusCode)
				return res.StatusCode == http.StatusCreated
			})
			for _, status := range seen[:len(seen)-1] {
				if status != http.StatusConflict {
					t.Fatalf("answered %v", seen)
				}
			}
			res, text := ask(s)
			if res.StatusCode != 201 || res.Header.Get("Idempotent-Replayed") != "true" || outside.of("/two") != 2 {
				t.Errorf("answered %d %s after %d payments", res.StatusCode, text, outside.of("/two"))
			}
		})
	}
}

// TestWhoHangsUpGetsTheAnswerLater: the call goes on, whatever CANCEL_ON_DISCONNECT says.
func TestWhoHangsUpGetsTheAnswerLater(t *testing.T) {
	outside := newCounted(t)
	s := startServer(t, "STORAGE=inmemory", "CANCEL_ON_DISCONNECT=true", "CODE_ASYNC_TIMEOUT=10m",
		"EGRESS_ALLOW="+outside.Listener.Addr().String())
	put(t, s.url+"/functions/pay/f", paying, `"idempotency":"sync"`)
	body := fmt.Sprintf(`{"at":"%s/two"}`, outside.URL)
	ctx, hangUp := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		askOnce(ctx, t, s, body)
	}()
	eventually(t, "the call to run", func() bool { return outside.of("/two") == 1 })
	hangUp()
	<-gone
	close(outside.open)
	eventually(t, "the answer", func() bool {
		res, _ := s.request(t, "PUT", "/functions/pay/f/run", body, "Idempotency-Key", "k")
		return res.StatusCode == http.StatusCreated && res.Header.Get("Idempotent-Replayed") == "true"
	})
	if outside.of("/two") != 1 {
		t.Errorf("it ran %d times", outside.of("/two"))
	}
}

// TestKeysAreApartFromThoseOfOthers has callers with keys of the server, and goes past the limit of a namespace.
func TestKeysAreApartFromThoseOfOthers(t *testing.T) {
	for store, vars := range idempotencyStores(t) {
		t.Run(store, func(t *testing.T) {
			s, admin := adminOf(t, append(vars, "CALLS_MAX=3")...)
			if res, text := s.request(t, "PUT", "/functions/pay/f", deployment(
				`function main(req, res) { res.send({ n: Math.random() }) }`, `"idempotency":"sync"`),
				"Authorization", "Bearer "+admin); res.StatusCode != 200 {
				t.Fatalf("PUT: %d %s", res.StatusCode, text)
			}
			keys := []string{admin}
			for range 2 {
				_, key := newKey(t, admin, s.url, `{"role":"invoke","namespaces":["pay"]}`)
				keys = append(keys, key)
			}
			var answers []string
			ask := func(key, idempotency string, want int) string {
				t.Helper()
				res, text := s.request(t, "PUT", "/functions/pay/f/run", "{}", "Authorization", "Bearer "+key,
					"Idempotency-Key", idempotency)
				if res.StatusCode != want {
					t.Errorf("answered %d %s, want %d", res.StatusCode, text, want)
				}
				return text
			}
			for _, key := range keys {
				text := ask(key, "k", 200)
				if slices.Contains(answers, text) {
					t.Errorf("another caller's answer: %s", text)
				}
				answers = append(answers, text)
			}
			if text := ask(keys[0], "one too many", 429); !strings.Contains(text, `"reason":"calls_full"`) {
				t.Errorf("refused with %s", text)
			}
			for i, key := range keys {
				if text := ask(key, "k", 200); text != answers[i] {
					t.Errorf("answered %s, then %s", answers[i], text)
				}
			}
		})
	}
}
