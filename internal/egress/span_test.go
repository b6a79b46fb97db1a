package egress_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// spans is a Tracer that tells of each span that has ended.
type spans chan string

func (s spans) Connection(outgoing json.RawMessage, host string, port int) func(string, string, int64, int64) {
	return func(result, address string, sent, received int64) {
		s <- fmt.Sprintf("%s %s %d %s %s %d %d", outgoing, host, port, result, address, sent, received)
	}
}

func TestEveryAttemptIsASpanOfItsCall(t *testing.T) {
	addr := echo(t)
	seen := make(spans, 10)
	options := allowing(t, addr)
	options.Tracer = seen
	options.Resolver = &names{}
	w := newWorker(t, options)
	w.proxy.CallStarted(os.Getpid(), &sandbox.Invocation{Outgoing: json.RawMessage(`{"a":"b"}`)})
	host, port := split(t, addr)
	conn := w.connect(addr)
	if _, err := io.WriteString(conn, "hello"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	for _, row := range []struct{ target, want string }{
		{"", fmt.Sprintf("%s %s connected %s 5 5", host, port, host)},
		{"10.0.0.1:80", "10.0.0.1 80 private 10.0.0.1 0 0"},
		{"nope.example:80", "nope.example 80 ENOTFOUND  0 0"},
		{"127.1:80", " 80 bad_host  0 0"},
	} {
		if row.target != "" {
			w.ask("CONNECT " + row.target + "\n")
		}
		if got, want := <-seen, `{"a":"b"} `+row.want; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAttemptsBeyondTheLimitAreOneSpan(t *testing.T) {
	seen := make(spans, 10)
	limits := egress.DefaultLimits()
	limits.Attempts = 1
	w := newWorker(t, egress.Options{Policy: egress.Policy{Mode: egress.Public}, Limits: limits, Tracer: seen})
	for range 5 {
		w.ask("CONNECT 10.0.0.1:80\n")
	}
	close(seen)
	var results []string
	for text := range seen {
		results = append(results, strings.Fields(text)[2])
	}
	if got := strings.Join(results, " "); got != "private limit" {
		t.Errorf("spans of %s", got)
	}
}

var _ egress.Tracer = spans(nil)
