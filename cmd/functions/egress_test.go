package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// send makes a request with a JSON body and returns the answer's.
func (s *server) send(t *testing.T, method, path string, body any) string {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

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
