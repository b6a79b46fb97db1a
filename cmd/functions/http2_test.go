package main

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// TestServerSpeaksHTTP2WithoutTLS has curl begin with HTTP/2, many calls run on one connection of Go's client, and the
// server stop while they do.
func TestServerSpeaksHTTP2WithoutTLS(t *testing.T) {
	s := startServer(t, "HTTP2=true", "HTTP_COMPRESSION=true", "POOL_SIZE=20")
	put(t, s.url+"/functions/two/echo", `function main(req, res) {
		res.set('X-Names', Object.keys(req.headers).join()).send({ got: req.body.n })
	}`, "")
	put(t, s.url+"/functions/two/slow", `async function main(req, res) {
		await new Promise(done => setTimeout(done, 300)); res.send({ late: true })
	}`, "")
	got := curl(t, "--http2-prior-knowledge", "-i", "-H", "content-type: application/json", "-H", "Beta: 1",
		"-H", "Alpha: 1", "-d", `{"n":8}`, s.url+"/functions/two/echo/run")
	for _, want := range []string{
		"HTTP/2 200", "x-request-id: ", "etag: W/", `{"got":8}`, "x-names: accept,alpha,beta,content-",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("curl got no %s in %s", want, got)
		}
	}
	put(t, s.url+"/functions/two/long", `function main(req, res) { res.send({ text: 'x'.repeat(100000) }) }`, "")
	got = curl(t, "--compressed", "-w", " %{size_download}", s.url+"/functions/two/long/run")
	text, size, _ := strings.Cut(got, " ")
	if n, err := strconv.Atoi(size); len(text) < 100_000 || err != nil || n > 2000 {
		t.Errorf("%d bytes came as %s", len(text), size)
	}
	got = curl(t, "--http2-prior-knowledge", "-H", "Host: x/admin?", s.url+"/functions/two/echo/run")
	if got != `{"error":"Malformed Host header"}` {
		t.Errorf("a path for a host: %s", got)
	}
	var only http.Protocols
	only.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: &only}}
	answers := make(chan reply, 10)
	const calls, answered = 10, `backstage_functions_overview_run_total{status="2xx"}`
	s.awaitMetric(t, answered+" 2")
	for range calls {
		go func() { answers <- send(client, "PUT", s.url+"/functions/two/slow/run", "{}") }()
	}
	// On a slow machine some have their answer before others have their worker. Answers are read first: a call that is
	// answered in between is counted in neither, not twice.
	eventually(t, "calls that have begun", func() bool {
		done := s.metric(t, answered)
		return done+s.metric(t, `functions_pool_workers{state="busy"}`) >= 2+calls
	})
	s.terminate()
	for range calls {
		if r := <-answers; r.status != http.StatusOK || r.body != `{"late":true}` {
			t.Error(r)
		}
	}
}
