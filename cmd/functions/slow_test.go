package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// dialRaw opens a connection to the server and sends text.
func (s *server) dialRaw(t *testing.T, text string) net.Conn {
	t.Helper()
	return s.dialBy(t, &net.Dialer{}, text)
}

// dialBy is dialRaw with a dialer.
func (s *server) dialBy(t *testing.T, dialer *net.Dialer, text string) net.Conn {
	t.Helper()
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

// awaitHangUp reads until the server hangs up, and returns how much there was to read.
func awaitHangUp(t *testing.T, conn net.Conn) int64 {
	t.Helper()
	n, err := io.Copy(io.Discard, conn)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
	return n
}

// bigAnswer is more than the buffers of a connection hold.
const bigAnswer = 7 << 20

func TestSlowCallersHoldNoWorkerAndAreHungUpOn(t *testing.T) {
	s := startServer(t, "POOL_SIZE=2", "HTTP_HEADER_TIMEOUT=5s", "HTTP_READ_TIMEOUT=5s", "HTTP_WRITE_TIMEOUT=5s", "HTTP_IDLE_TIMEOUT=5s")
	url := s.url + "/functions/slow"
	put(t, url+"/big", fmt.Sprintf(`function main(req, res) { res.send('x'.repeat(%d)) }`, bigAnswer), "")
	put(t, url+"/f", `function main(req, res) { res.send('done') }`, "")
	var slow []net.Conn
	for i := range 60 {
		slow = append(
			slow,
			s.dialRaw(t, fmt.Sprintf("PUT /functions/slow/f/run HTTP/1.1\r\nHost: a\r\nX-%d: ", i)),
			s.dialRaw(t, "PUT /functions/slow/f/run HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"),
		)
	}
	var deaf []net.Conn
	for range 8 {
		deaf = append(deaf, s.dialRaw(t, "PUT /functions/slow/big/run HTTP/1.1\r\nHost: a\r\n\r\n"))
	}
	for range 50 {
		if status, answer := request(t, "PUT", url+"/f/run", `{}`); status != http.StatusOK || answer != `"done"` {
			t.Fatalf("beside slow callers: %d %s", status, answer)
		}
	}
	s.awaitMetric(t, `functions_pool_workers{state="busy"} 0`)
	for _, conn := range slow {
		awaitHangUp(t, conn)
	}
	for range deaf {
		s.logs.await(t, `PUT (/functions/slow/big/run) 200`) // the server has given up
	}
	for _, conn := range deaf {
		if n := awaitHangUp(t, conn); n >= bigAnswer {
			t.Errorf("a caller who did not read got all of his answer, %d bytes", n)
		}
	}
}

// endlessStream streams for as long as it may.
const endlessStream = `function main(req, res) { setTimeout(() => { for (;;) res.write(Buffer.alloc(65536)) }, 1) }`

// Callers that do not read their streams, more than there are workers, hold up nobody: their streams make room.
func TestUnreadStreamsMakeRoom(t *testing.T) {
	s := startServer(t, "POOL_SIZE=4", "POOL_RESERVE=0", "STREAM_UNREAD_TIMEOUT=10m", "HTTP_WRITE_TIMEOUT=10m")
	put(t, s.url+"/functions/deaf/f", endlessStream, `"body":"auto"`)
	for range 12 {
		s.dialRaw(t, "GET /functions/deaf/f/run HTTP/1.1\r\nHost: a\r\n\r\n")
	}
	s.awaitMetric(t, `functions_streams_ended_total{end="room"} 11`) // one may have a quarter of the workers
	for i := range 8 {
		url := fmt.Sprintf("%s/functions/quiet%d/f", s.url, i)
		put(t, url, `function main(req, res) { res.send('done') }`, "")
		if status, answer := request(t, "PUT", url+"/run", `{}`); status != http.StatusOK || answer != `"done"` {
			t.Fatalf("beside callers who do not read: %d %s", status, answer)
		}
	}
	s.awaitMetric(t, `functions_pool_workers{state="unread"} 1`) // idle workers made room, so it goes on
}

func TestUnreadStreamsEndInTime(t *testing.T) {
	s := startServer(t, "STREAM_UNREAD_TIMEOUT=300ms", "HTTP_WRITE_TIMEOUT=10m")
	put(t, s.url+"/functions/deaf/f", endlessStream, `"body":"auto"`)
	conn := s.dialRaw(t, "GET /functions/deaf/f/run HTTP/1.1\r\nHost: a\r\n\r\n")
	s.awaitMetric(t, `functions_streams_ended_total{end="unread"} 1`)
	s.awaitMetric(t, `functions_worker_deaths_total{reason="stream_unread"} 1`)
	awaitHangUp(t, conn)
}

func TestHeadersAboveTheLimitAreRefused(t *testing.T) {
	s := startServer(t, "HTTP_HEADER_LIMIT=8kb")
	for size, want := range map[int]string{7 << 10: "HTTP/1.1 200 OK\r\n", 20 << 10: "HTTP/1.1 431 Request Header Fields Too Large\r\n"} {
		conn := s.dialRaw(t, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: "+strings.Repeat("x", size)+"\r\n\r\n")
		if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), want) {
			t.Errorf("%d bytes of headers: %.100q, %v", size, answer, err)
		}
	}
}

func TestCallerWhoHangsUpFreesTheWorkerIfToldTo(t *testing.T) {
	s := startServer(t, "POOL_SIZE=1", "CANCEL_ON_DISCONNECT=true")
	put(t, s.url+"/functions/gone/never", `function main() {}`, "")
	conn := s.dialRaw(t, "PUT /functions/gone/never/run HTTP/1.1\r\nHost: a\r\n\r\n")
	s.awaitMetric(t, `functions_pool_workers{state="busy"} 1`)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, s.url+"/functions/gone/f", `function main(req, res) { res.send('done') }`, "") // needs the only worker
	s.awaitMetric(t, `functions_worker_deaths_total{reason="canceled"} 1`)
}

func TestCallerWhoHangsUpInTheQueueIsForgotten(t *testing.T) {
	s := startServer(t, "POOL_SIZE=1", "SHUTDOWN_TIMEOUT=100ms")
	put(t, s.url+"/functions/gone/f", `function main() {}`, "") // never answers
	go func() { send(http.DefaultClient, http.MethodPut, s.url+"/functions/gone/f/run", "{}") }()
	s.awaitMetric(t, `functions_pool_workers{state="busy"} 1`)
	conn := s.dialRaw(t, "PUT /functions/gone/f/run HTTP/1.1\r\nHost: a\r\n\r\n")
	s.awaitMetric(t, `functions_queue_length 1`)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	s.awaitMetric(t, `functions_invocations_refused_total{reason="canceled"} 1`)
}

func TestRefusalsTellTheirLimit(t *testing.T) {
	s := startServer(t, "POOL_SIZE=2", "POOL_RESERVE=0", "QUEUE_SIZE=1", "BODY_PARSER_LIMIT=1kb", "MAX_CONCURRENCY_NAMESPACE=2", "SHUTDOWN_TIMEOUT=100ms")
	url := s.url + "/functions/limits"
	const never = `function main() {}`
	put(t, url+"/one", never, `"maxConcurrency":1`)
	put(t, url+"/two", never, "")
	put(t, s.url+"/functions/other/f", never, "")
	hold := func(path, metric string) {
		s.dialRaw(t, "PUT "+path+" HTTP/1.1\r\nHost: a\r\n\r\n")
		s.awaitMetric(t, metric)
	}
	expect := func(url, body string, status int, want string) {
		t.Helper()
		response, err := http.Post(url+"/run", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != status || string(answer) != want || (response.Header.Get("Retry-After") == "1") != (status != 413) {
			t.Errorf("%s: got %d %s, Retry-After %q, %v; want %d %s", url, response.StatusCode, answer, response.Header.Get("Retry-After"), err, status, want)
		}
	}
	hold("/functions/limits/one/run", `functions_pool_workers{state="busy"} 1`)
	expect(url+"/one", "", 429, `{"error":"The function limits/one has 1 call at a time, which is its limit","reason":"function_limit"}`)
	hold("/functions/limits/two/run", `functions_pool_workers{state="busy"} 2`)
	expect(url+"/two", "", 429, `{"error":"The namespace limits has 2 calls at a time, which is its limit","reason":"namespace_limit"}`)
	hold("/functions/other/f/run", `functions_queue_length 1`)
	expect(s.url+"/functions/other/f", "", 503, `{"error":"No worker is free","reason":"queue_full"}`)
	expect(url+"/one", `"`+strings.Repeat("x", 1<<10)+`"`, 413, `{"error":"request entity too large"}`)
	for _, line := range []string{
		`functions_invocations_refused_total{reason="function_limit"} 1`,
		`functions_invocations_refused_total{reason="namespace_limit"} 1`,
		`functions_invocations_refused_total{reason="queue_full"} 1`,
		`backstage_functions_function_run_total{id="one",namespace="limits",status="4xx"} 1`,
	} {
		s.awaitMetric(t, line)
	}
}
