package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// alone makes one request on a connection of its own.
func alone(method, url, body string) reply {
	return send(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, method, url, body)
}

// dialMetrics is dialRaw for the port of the metrics.
func (s *server) dialMetrics(t *testing.T, text string) net.Conn {
	t.Helper()
	return (&server{url: s.metrics}).dialRaw(t, text)
}

// metric is the value of the line of the server's metrics that begins with name.
func (s *server) metric(t *testing.T, name string) int {
	t.Helper()
	match := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(s.scrape(t))
	if match == nil {
		t.Fatalf("there is no %s", name)
	}
	value, err := strconv.ParseFloat(match[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return int(value)
}

func TestConnectionsBeyondTheLimitAreRefusedAndProbesAnswered(t *testing.T) {
	s := startServer(t, "MAX_CONNECTIONS=3", "CODE_ASYNC_TIMEOUT=600000", "POOL_SIZE=4", "CANCEL_ON_DISCONNECT=true")
	if r := alone("PUT", s.url+"/functions/many/never", deployment(`function main() {}`, "")); r.status != http.StatusOK {
		t.Fatal(r)
	}
	s.awaitMetric(t, `functions_http_connections{port="api"} 0`) // the one of the deployment has its place no more
	var calls []net.Conn
	for range 3 {
		calls = append(calls, s.dialRaw(t, "PUT /functions/many/never/run HTTP/1.1\r\nHost: a\r\n\r\n"))
	}
	s.awaitMetric(t, `functions_pool_workers{state="busy"} 3`)
	for range 200 { // more than the reserve has places for
		s.dialRaw(t, "GET / HTTP/1.1\r\n")
	}
	r := alone("PUT", s.url+"/functions/many/never/run", "{}")
	if want := `{"error":"Too many connections","reason":"connections"}`; r.status != http.StatusServiceUnavailable || r.body != want || r.retryAfter != "1" {
		t.Errorf("a fourth call: %v", r)
	}
	s.logs.await(t, `warn: .*(Callers are refused: all connections are in use) port=api limit=3`)
	if answer, _ := s.request(t, "PUT", "/functions/many/never/run", "{}", "X-Request-Id", "call-9"); answer.StatusCode != http.StatusServiceUnavailable ||
		answer.Header.Get("X-Request-Id") != "call-9" {
		t.Errorf("a fifth call: %d %v", answer.StatusCode, answer.Header)
	}
	for _, path := range []string{"/livez", "/readyz", "/healthcheck"} {
		if r := alone("GET", s.url+path, ""); r.err != nil || r.status != http.StatusOK && !strings.Contains(r.body, "not ready") {
			t.Errorf("%s: %v", path, r)
		}
	}
	s.awaitMetric(t, `functions_http_connections_limit{port="api"} 3`)
	if got := s.metric(t, `functions_http_connections{port="api"}`); got < 3 || got > 3+32 {
		t.Errorf("%d connections", got)
	}
	if err := calls[0].Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a place", func() bool { return alone("GET", s.url+"/", "").status == http.StatusOK })
}

func TestIdleConnectionsOnTheMetricsPortTakeNothingFromAnybody(t *testing.T) {
	s := startServer(t, "METRICS_MAX_CONNECTIONS=5", "HTTP_HEADER_TIMEOUT=1h", "HTTP_READ_TIMEOUT=1h")
	for range 300 {
		s.dialMetrics(t, "GET /metrics HTTP/1.1\r\n")
	}
	for _, url := range []string{s.metrics + "/livez", s.metrics + "/readyz", s.url + "/livez", s.url + "/"} {
		if r := alone("GET", url, ""); r.err != nil || r.status != http.StatusOK && !strings.Contains(r.body, "not ready") {
			t.Errorf("%s: %v", url, r)
		}
	}
	eventually(t, "the metrics", func() bool { return alone("GET", s.metrics+"/metrics", "").status == http.StatusOK })
	if got := s.metric(t, `functions_http_connections{port="metrics"}`); got > 5+32 {
		t.Errorf("%d connections", got)
	}
}

func TestConnectionsLeaveDescriptorsForWorkers(t *testing.T) {
	cmd := exec.Command("sh", "-c", `ulimit -n 600 && exec "$0"`, os.Args[0])
	s := startCommand(t, cmd, "POOL_SIZE=4", "EGRESS_CONNECTIONS=16", "METRICS_MAX_CONNECTIONS=20", "HTTP_HEADER_TIMEOUT=1h", "HTTP_READ_TIMEOUT=1h")
	limit := s.metric(t, `functions_http_connections_limit{port="api"}`)
	if limit < 100 || limit >= 600 {
		t.Errorf("%d connections are allowed", limit)
	}
	if text := s.logs.text(); !strings.Contains(text, "MAX_CONNECTIONS: "+strconv.Itoa(limit)+" connections are served at a time: the process may have 600 descriptors") {
		t.Errorf("logged\n%s", text)
	}
	for range 900 {
		s.dialRaw(t, "GET / HTTP/1.1\r\n")
	}
	if got := s.metric(t, "process_open_fds"); got >= 600 {
		t.Errorf("%d descriptors", got)
	}
	eventually(t, "a place", func() bool {
		return alone("PUT", s.url+"/functions/few/f", deployment(`function main(req, res) { res.send('done') }`, `"maxInvocations":1`)).status == http.StatusOK
	})
	for range 10 { // each needs a new worker
		eventually(t, "an answer", func() bool { return alone("PUT", s.url+"/functions/few/f/run", "{}").body == `"done"` })
	}
	if got := s.metric(t, `functions_http_accept_errors_total{port="api"}`); got != 0 {
		t.Errorf("%d connections could not be accepted", got)
	}
	if got := s.metric(t, `functions_worker_start_failures_total`); got != 0 {
		t.Errorf("%d workers could not be started", got)
	}
}

func TestBodiesInFlightAreBounded(t *testing.T) {
	s := startServer(t, "HTTP_BODY_MEMORY=4mb", "HTTP_BODY_TIMEOUT=1h", "HTTP_READ_TIMEOUT=1h")
	put(t, s.url+"/functions/large/f", `function main(req, res) { res.send(req.body.length) }`, "")
	const head = "PUT /functions/large/f/run HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n"
	var held []net.Conn
	for range 100 {
		held = append(held, s.dialRaw(t, head+"\r\n["+strings.Repeat(" ", 100_000)))
	}
	if got := s.metric(t, "functions_http_body_limit_bytes"); got != 4<<20 {
		t.Errorf("the limit is %d", got)
	}
	eventually(t, "97 refusals", func() bool { return s.metric(t, "functions_http_bodies_refused_total") == 97 })
	if got := s.metric(t, "functions_http_body_bytes"); got < 2_900_000 || got > 4<<20 {
		t.Errorf("%d bytes of bodies", got)
	}
	// It sends no more than the others: the server may hang up while the client of net/http still writes, and that
	// client returns the error of its write instead of the answer that has come.
	answer, err := http.ReadResponse(bufio.NewReader(s.dialRaw(t, head+"\r\n["+strings.Repeat(" ", 100_000))), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if want := `{"error":"No memory for more requests","reason":"body_memory"}`; err != nil || answer.StatusCode != http.StatusServiceUnavailable ||
		string(body) != want || answer.Header.Get("Retry-After") == "" {
		t.Errorf("one more: %d %v %s, %v", answer.StatusCode, answer.Header, body, err)
	}
	_ = answer.Body.Close()
	if r := alone("PUT", s.url+"/functions/large/f/run", "[1]"); r.body != "1" { // a small one needs no share
		t.Errorf("a small one: %v", r)
	}
	for _, conn := range held {
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s.awaitMetric(t, "functions_http_body_bytes 0")
	large := "[" + strings.Repeat(" ", 600_000) + "]"
	if r := alone("PUT", s.url+"/functions/large/f/run", large); r.body != "0" {
		t.Errorf("after all: %v", r)
	}
}

func TestAnswersThatNobodyTakesAreBounded(t *testing.T) {
	s := startServer(t, "HTTP_ANSWER_MEMORY=16mb", "HTTP_WRITE_TIMEOUT=1h", "CODE_SYNC_TIMEOUT=10000", "CODE_ASYNC_TIMEOUT=60000")
	put(t, s.url+"/functions/large/f", `function main(req, res) { res.send('x'.repeat(`+strconv.Itoa(bigAnswer)+`)) }`, "")
	var deaf []net.Conn
	for range 12 {
		deaf = append(deaf, s.dialRaw(t, "PUT /functions/large/f/run HTTP/1.1\r\nHost: a\r\n\r\n"))
	}
	s.awaitMetric(t, "functions_http_answers_cut_total 10")
	if got := s.metric(t, "functions_http_answer_bytes"); got > 16<<20 {
		t.Errorf("%d bytes of answers", got)
	}
	if r := alone("PUT", s.url+"/functions/large/f/run", "{}"); r.err != nil || len(r.body) != bigAnswer+2 {
		t.Errorf("who reads: %d bytes, %v", len(r.body), r.err)
	}
	for _, conn := range deaf {
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s.awaitMetric(t, "functions_http_answer_bytes 0")
}

func TestOneAddressLeavesPlacesToOthers(t *testing.T) {
	s := startServer(t, "MAX_CONNECTIONS=20", "HTTP_HEADER_TIMEOUT=1h", "HTTP_READ_TIMEOUT=1h")
	for range 60 {
		s.dialRaw(t, "GET / HTTP/1.1\r\n")
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	for range 10 {
		conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, len("HTTP/1.1 200 OK"))
		if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "HTTP/1.1 200 OK" {
			t.Fatalf("got %q, %v", answer, err)
		}
	}
}
