package main

import (
	"compress/gzip"
	"io"
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
	s.wantBytesAndStreams(t, client)
	answers := make(chan reply, 10)
	const calls, answered = 10, `backstage_functions_overview_run_total{status="2xx"}`
	const before = 5 // a stream is a call too
	s.awaitMetric(t, answered+" 5")
	for range calls {
		go func() { answers <- send(client, "PUT", s.url+"/functions/two/slow/run", "{}") }()
	}
	// On a slow machine some have their answer before others have their worker. Answers are read first: a call that is
	// answered in between is counted in neither, not twice.
	eventually(t, "calls that have begun", func() bool {
		done := s.metric(t, answered)
		return done+s.metric(t, `functions_pool_workers{state="busy"}`) >= before+calls
	})
	s.terminate()
	for range calls {
		if r := <-answers; r.status != http.StatusOK || r.body != `{"late":true}` {
			t.Error(r)
		}
	}
}

// wantBytesAndStreams gets bytes, a stream as it comes and one in gzip over the connections of client, and looks how the
// streams are counted.
func (s *server) wantBytesAndStreams(t *testing.T, client *http.Client) {
	t.Helper()
	const raw = `"body":"raw"`
	put(t, s.url+"/functions/two/bytes", `function main(req, res) { res.type('png').end(Buffer.from([0, 255, 10, 13])) }`, raw)
	put(t, s.url+"/functions/two/stream", `async function main(req, res) {
		res.type('application/x-ndjson');
		for (let i = 0; i < 3; i++) {
			res.write(JSON.stringify({ i, sent: req.text(), text: 'x'.repeat(1000) }) + '\n');
			await new Promise(done => setTimeout(done, 5));
		}
		res.end();
	}`, raw)
	get := func(path, body, encoding string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", encoding)
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var from io.Reader = response.Body
		if response.Header.Get("Content-Encoding") == "gzip" {
			if from, err = gzip.NewReader(response.Body); err != nil {
				t.Fatal(err)
			}
		}
		text, err := io.ReadAll(from)
		if err != nil || response.ProtoMajor != 2 || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %s, %v", path, response.Proto, response.Status, err)
		}
		return response, string(text)
	}
	if response, text := get("/functions/two/bytes/run", "", "identity"); text != "\x00\xff\n\r" ||
		response.Header.Get("Content-Type") != "image/png" {
		t.Errorf("bytes came as %q, %s", text, response.Header.Get("Content-Type"))
	}
	for _, encoding := range []string{"identity", "gzip"} {
		response, text := get("/functions/two/stream/run", "é", encoding)
		if strings.Count(text, `"sent":"é"`) != 3 || strings.Count(text, "\n") != 3 {
			t.Errorf("a stream came as %.200q", text)
		}
		if got := response.Header.Get("Content-Encoding"); (got == "gzip") != (encoding == "gzip") {
			t.Errorf("a stream that may be %s is in %q", encoding, got)
		}
	}
	s.awaitMetric(t, `functions_streams_ended_total{end="finished"} 2`)
	s.awaitMetric(t, `functions_streams_open 0`)
}
