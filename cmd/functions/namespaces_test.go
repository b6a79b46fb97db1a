package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// A namespace is disabled at one server: nothing of it runs at the others, and what goes on for long ends.
func TestADisabledNamespaceRunsOnNoServer(t *testing.T) {
	redis := testenv.Redis(t)
	endpoint := "REDIS_ENDPOINT=redis://" + redis.Addr
	here, there := startServer(t, endpoint), startServer(t, endpoint, "WEBSOCKET_CONNECTIONS=10")
	put(t, here.url+"/functions/team/socket", `function main(req, res) { res.end(req.event === 'message' ? req.body : '') }`, `"websocket":{}`)
	put(t, here.url+"/functions/team/stream", `function main(req, res) { res.write('begun'); res.flush() }`, `"body":"raw"`)
	put(t, here.url+"/functions/other/f", `function main(req, res) { res.send('served') }`, "")
	if status, answer := request(t, "PUT", there.url+"/routes/r", `{"path":"/x","function":"team/f"}`); status != 200 {
		t.Fatal(answer)
	}
	socket := there.open(t, "/functions/team/socket/run")
	stream := begun(t, "", there.url+"/functions/team/stream/run", "begun")
	lines := begun(t, "", there.url+"/functions/team/stream/logs?follow=1", "retry")

	if status, answer := request(t, "PUT", here.url+"/namespaces/team/limits", `{"disabled":true}`); status != 200 {
		t.Fatal(answer)
	}
	if got := socket.frame(t); got != "\x03\xf0the namespace is disabled" {
		t.Errorf("the WebSocket connection ended with %q", got)
	}
	if _, err := io.ReadAll(stream); err == nil {
		t.Error("the stream ended as if it were whole")
	}
	if rest, _ := io.ReadAll(lines); !strings.Contains(string(rest), "The namespace is disabled") {
		t.Errorf("who follows output was told %q", rest)
	}
	const refused = `{"error":"The namespace team is disabled","reason":"namespace_disabled"}`
	for _, s := range []*server{here, there} {
		for _, path := range []string{
			"/functions/team/stream/run", "/functions/team/missing/run", "/functions/team/stream",
			"/functions/pipeline?steps[]=other/f&steps[]=team/stream",
		} {
			if status, answer := request(t, "PUT", s.url+path, deployment("function main() {}", "")); status != 403 || answer != refused {
				t.Errorf("%s: %d %s", path, status, answer)
			}
		}
		if status, answer := request(t, "GET", s.url+"/x", ""); status != 403 {
			t.Errorf("by a route: %d %s", status, answer)
		}
		if status, answer := request(t, "PUT", s.url+"/functions/other/f/run", "{}"); answer != `"served"` {
			t.Errorf("another namespace: %d %s", status, answer)
		}
	}
	status, answer := request(t, "GET", here.url+"/namespaces?limit=10", "")
	if status != 200 || answer != `{"items":[{"namespace":"other"},{"namespace":"team","disabled":true}]}` {
		t.Errorf("listed as %d %s", status, answer)
	}
	redis.Stop()
	if status, answer := request(t, "PUT", there.url+"/functions/team/stream/run", "{}"); answer != refused {
		t.Errorf("without Redis: %d %s", status, answer)
	}
}

// begun sends a request with a key, unless that is empty, and returns the answer behind its begin.
func begun(t *testing.T, key, url, begin string) io.Reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	first := make([]byte, len(begin))
	if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != begin {
		t.Fatalf("answered %d %q, %v", response.StatusCode, first, err)
	}
	return response.Body
}

func TestADisabledNamespaceOnEveryStore(t *testing.T) {
	onEveryStore(t, func(t *testing.T, storage string) {
		s := startServer(t, storage)
		put(t, s.url+"/functions/team/f", `function main(req, res) { res.send('served') }`, "")
		for _, row := range []struct {
			method, body string
			want         int
		}{{"PUT", `{"disabled":true}`, 403}, {"PUT", `{}`, 200}, {"PUT", `{"disabled":true}`, 403}, {"DELETE", ``, 200}} {
			if status, answer := request(t, row.method, s.url+"/namespaces/team/limits", row.body); status >= 300 {
				t.Fatal(answer)
			}
			if status, answer := request(t, "PUT", s.url+"/functions/team/f/run", "{}"); status != row.want {
				t.Errorf("after %s %s: %d %s", row.method, row.body, status, answer)
			}
		}
	})
}
