package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNobodyWaitsForWhoReadsNothing has callers of two namespaces repeat long answers and read nothing of them, so many
// that all memory of such would be theirs: of answers that are barely long, and of ones that are short in gzip. Others
// get their long answers all the same, long before HTTP_WRITE_TIMEOUT.
func TestNobodyWaitsForWhoReadsNothing(t *testing.T) {
	s := startServer(t, "STORAGE=inmemory", "HTTP_COMPRESSION=true", "HTTP_WRITE_TIMEOUT=1h", "CODE_SYNC_TIMEOUT=10s",
		"CODE_ASYNC_TIMEOUT=1m")
	for name, row := range map[string]struct {
		answer string
		slow   int // of each namespace
	}{
		"barely": {`'x'.repeat(66500)`, 4},
		"packed": {`Array.from({ length: 3300 }, () => Math.random().toString(36) + 'a'.repeat(2300)).join('')`, 2},
	} {
		for _, namespace := range []string{"a", "b"} {
			path := "/functions/" + namespace + "/" + name
			put(t, s.url+path, "function main(req, res) { res.send("+row.answer+") }", `"idempotency":"sync"`)
			res, body := s.request(t, "PUT", path+"/run", "{}", "Idempotency-Key", "k")
			if res.StatusCode != http.StatusOK {
				t.Fatalf("%s: answered %d %.200s", path, res.StatusCode, body)
			}
			encoding := ""
			if name == "packed" {
				encoding = "Accept-Encoding: gzip\r\n"
			}
			for range row.slow {
				conn := s.dialNarrow(t, fmt.Sprintf("PUT %s/run HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: k\r\n%s"+
					"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", path, encoding))
				if _, err := io.ReadFull(conn, make([]byte, len("HTTP/1.1"))); err != nil { // its answer is being sent
					t.Fatal(err)
				}
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // else it would fail in an hour
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, "PUT", s.url+"/functions/a/"+name+"/run", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "k")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Errorf("%s: somebody else gets %v", name, err)
			continue
		}
		if n, err := io.Copy(io.Discard, res.Body); err != nil || n < 66_500 || res.Header.Get("Idempotent-Replayed") == "" {
			t.Errorf("%s: somebody else gets %s with %d bytes, %v", name, res.Status, n, err)
		}
		_ = res.Body.Close()
	}
}

// dialNarrow is dialRaw for a connection that takes little at a time: an answer of some kilobytes waits for its caller.
func (s *server) dialNarrow(t *testing.T, text string) net.Conn {
	t.Helper()
	return s.dialBy(t, &net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		controlled := raw.Control(func(fd uintptr) {
			err = errors.Join(syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1024),
				syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 536))
		})
		return errors.Join(err, controlled)
	}}, text)
}
