package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// logged is a line of the log in JSON.
type logged struct {
	Time                                      time.Time
	Level, Message, RequestID, TraceID, Error string
	Namespace, URL                            string
}

// readLog reads every line of a log as the object that it must be.
func readLog(t *testing.T, text string) []logged {
	t.Helper()
	var all []logged
	for line := range strings.Lines(text) {
		var one logged
		if err := json.Unmarshal([]byte(line), &one); err != nil || one.Time.IsZero() || one.Level == "" || one.Message == "" {
			t.Errorf("%v: %s", err, line)
		}
		all = append(all, one)
	}
	return all
}

// about are the messages of all lines that name a request.
func about(all []logged, requestID string) map[string]logged {
	messages := map[string]logged{}
	for _, line := range all {
		if line.RequestID == requestID {
			messages[line.Message] = line
		}
	}
	return messages
}

func TestEveryLineIsAnObject(t *testing.T) {
	outside := newOutside(t)
	s := startServer(t, "LOG_APP_FORMAT=json", "OTEL_EXPORTER_OTLP_ENDPOINT="+outside.URL, "CODE_SYNC_TIMEOUT=60000", "CODE_ASYNC_TIMEOUT=60000")
	put(t, s.url+"/functions/js/f", `const request = require('request');
		function main(req, res) { console.log('to \u202e\u{e0041}'); request('http://127.0.0.1:1/', () => res.send(1)) }`, "")
	if answer, body := s.request(t, "PUT", "/functions/js/f/run", "{}", "X-Request-Id", "call-1"); answer.StatusCode != http.StatusOK {
		t.Fatalf("got %d %s", answer.StatusCode, body)
	}
	put(t, s.url+"/functions/js/exit", `function main() { const a = []; for (;;) a.push(new Array(1e6).fill(1)) }`, "")
	if answer, body := s.request(t, "PUT", "/functions/js/exit/run", "{}", "X-Request-Id", "call-2"); answer.StatusCode != http.StatusInternalServerError {
		t.Fatalf("got %d %s", answer.StatusCode, body)
	}
	s.request(t, "GET", "/functions/\u202e", "")
	for _, zygote := range s.zygotes() {
		_ = syscall.Kill(zygote.pid, syscall.SIGKILL)
	}
	eventually(t, "another fork server", func() bool {
		s.request(t, "PUT", "/functions/js/f/run", "{}")
		return !strings.Contains(s.scrape(t), "\nfunctions_zygote_restarts_total 0\n")
	})
	s.stop(t)

	text := s.logs.text()
	if strings.ContainsAny(text, "\u202e\U000e0041") || !strings.Contains(text, `to \u202e\udb40\udc41`) {
		t.Errorf("what cannot be seen is in the log:\n%s", text)
	}
	all := readLog(t, text)
	first := about(all, "call-1")
	for _, message := range []string{"Get code from database, namespace: js codeId: f and store on cache", "to \u202e\U000e0041", "PUT /functions/js/f/run 200"} {
		if line := first[message]; line.Message == "" || len(line.TraceID) != 32 || line.TraceID != first["PUT /functions/js/f/run 200"].TraceID {
			t.Errorf("%s: %+v", message, line)
		}
	}
	if first["Egress denied"].Message == "" {
		t.Error("the line of the denied connection does not name the call")
	}
	if line := about(all, "call-2")["Worker died"]; line.Error == "" || line.TraceID == "" {
		t.Errorf("the death of the worker: %+v", line)
	}
	about := about(all, "")
	for _, message := range []string{"Functions is stopping: calls in progress are finished first", "The fork server ended, and its workers with it; another has taken its place"} {
		if about[message].Message == "" {
			t.Errorf("no line %q in\n%s", message, text)
		}
	}
}

func TestAccessLogHasTheRequestsThatAreAskedFor(t *testing.T) {
	for _, row := range []struct{ which, want string }{
		{"on", "/healthcheck /functions/a/b"},
		{"no-probes", "/functions/a/b"},
		{"all", "/livez /readyz /healthcheck /functions/a/b"},
		{"off", ""},
	} {
		t.Run(row.which, func(t *testing.T) {
			s := startServer(t, "LOG_ACCESS="+row.which, "POOL_SIZE=1", "POOL_PREWARMED=0")
			var got []string
			for _, path := range []string{"/livez", "/readyz", "/healthcheck", "/functions/a/b"} {
				s.request(t, "GET", path, "")
			}
			s.stop(t)
			for line := range strings.Lines(s.logs.text()) {
				if rest, ok := strings.CutPrefix(line, "GET "); ok {
					got = append(got, strings.Fields(rest)[0])
				}
			}
			if strings.Join(got, " ") != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestAnswersOfTheMetricsPortHaveARequestID(t *testing.T) {
	s := startServer(t, "POOL_SIZE=1", "POOL_PREWARMED=0")
	for _, path := range []string{"/livez", "/readyz", "/metrics", "/nope"} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", s.metrics+path, nil)
		r.RequestURI = "" // as clients need it
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: %v", path, answer.Header)
		}
	}
}

func TestAccessLogShowsHeadersOfAnswersAndTrustedCallers(t *testing.T) {
	s := startServer(t, "LOG_MONGAN_FORMAT=:method :url :remote-addr :res[x-request-id]", "TRUSTED_PROXIES=127.0.0.1")
	s.request(t, "GET", "/functions/a/b", "", "X-Request-Id", "call-3", "X-Forwarded-For", "203.0.113.1, 198.51.100.7")
	s.stop(t)
	if want := "GET /functions/a/b 198.51.100.7 call-3\n"; !strings.Contains(s.logs.text()+"\n", want) {
		t.Errorf("no line %s in\n%s", want, s.logs.text())
	}
}
