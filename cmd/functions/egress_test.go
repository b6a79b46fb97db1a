package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestFunctionsReachWhatTheOperatorAllowsAndNothingElse(t *testing.T) {
	var s *server
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, s.send(t, "GET", "/_debug/http_stats", nil))
	}))
	defer site.Close()
	host := site.Listener.Addr().String()
	s = startServer(t, "EGRESS_ALLOW="+host)
	const code = `function main(req, res) { require('request')(req.body.url, (error, r, body) => res.send(error ? error.code + ' ' + error.reason : body)) }`
	s.send(t, "PUT", "/functions/ns/fn", map[string]string{"code": code})
	stats := `{"http":{"sockets":[{"host":"` + host + `","count":1}],"freeSockets":[]},"https":{"sockets":[],"freeSockets":[]}}`
	quoted, err := json.Marshal(stats)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.send(t, "PUT", "/functions/ns/fn/run", map[string]string{"url": site.URL}); got != string(quoted) {
		t.Errorf("got %s, want %s", got, quoted)
	}
	if got := s.send(t, "PUT", "/functions/ns/fn/run", map[string]string{"url": s.url}); got != `"EGRESS_DENIED loopback"` {
		t.Errorf("the server itself: %s", got)
	}
	s.logs.await(t, `Egress denied.*(ns/fn)`)
}

func TestANamespaceCannotMakeTheServerReportToTheInside(t *testing.T) {
	outside := newOutside(t)
	dsn := strings.Replace(outside.URL, "://", "://key@", 1) + "/1"
	for allowed, want := range map[string]int{"EGRESS_ALLOW=127.0.0.1": 2, "EGRESS_ALLOW=": 0} {
		s := startServer(t, allowed)
		s.send(t, "PUT", "/namespaces/own", map[string]string{"sentryDSN": dsn})
		const code = `function main() { throw new Error('x') }`
		s.send(t, "PUT", "/functions/own/fn", map[string]string{"code": code})
		s.send(t, "PUT", "/functions/other/fn", map[string]any{"code": code, "env": map[string]string{"sentryDSN": dsn}})
		for _, namespace := range []string{"own", "other"} {
			if got := s.send(t, "PUT", "/functions/"+namespace+"/fn/run", struct{}{}); got != `{"error":"x"}` {
				t.Errorf("%s: %s", namespace, got)
			}
		}
		s.stop(t)
		if got := len(outside.events); got != want {
			t.Errorf("%s: %d reports came, want %d", allowed, got, want)
		}
		if logged := strings.Contains(s.logs.text(), "EGRESS_DENIED (loopback)"); logged != (want == 0) {
			t.Errorf("%s: the log is\n%s", allowed, s.logs.text())
		}
		outside.events = nil
	}
}

func TestTheConnectionsOfARunAreInItsTrace(t *testing.T) {
	outside := newOutside(t)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Traceparent"))
	}))
	defer site.Close()
	host := site.Listener.Addr().String()
	s := startServer(t, runtimesVariable(t), "EGRESS_ALLOW="+host, "OTEL_EXPORTER_OTLP_ENDPOINT="+outside.URL)
	for runtime, get := range map[string]string{
		"node8":  `require('request')(req.body.url, (error, r, body) => res.send(body))`,
		"node20": `fetch(req.body.url).then(r => r.text()).then(t => res.send(t))`,
		"node24": `fetch(req.body.url, { headers: { a: 'b' } }).then(r => r.text()).then(t => res.send(t))`,
	} {
		url := s.url + "/functions/ns/" + runtime
		put(t, url, "function main(req, res) { "+get+" }", `"runtime":"`+runtime+`"`)
		if _, got := request(t, "PUT", url+"/run", `{"url":"`+site.URL+`"}`); len(got) != len(`"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"`) {
			t.Errorf("%s carries %s", runtime, got)
		}
	}
	s.stop(t)
	connect, run := outside.spans["connect"], outside.spans["run function"]
	if connect == nil || connect["server.address"] != "127.0.0.1" || connect["egress.result"] != "connected" {
		t.Fatalf("span %v", connect)
	}
	if run == nil {
		t.Error("no span of the run")
	}
}
