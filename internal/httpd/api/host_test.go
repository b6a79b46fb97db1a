package api

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/routes"
	"github.com/backstage/functions/internal/invoke"
)

// Over HTTP/2 nobody has looked at the host before.
func TestWhatIsNoHostIsRefusedBeforeRouting(t *testing.T) {
	table := new(routes.Table)
	ref := function.Ref{Namespace: "routed", ID: "f"}
	if err := table.Set([]function.Route{{Name: "r", Host: "api.example.org", Path: "/*", Function: ref}}); err != nil {
		t.Fatal(err)
	}
	var got invoke.Call
	handlers := New(Options{Store: newFakeStore(), Invoker: asking(function.Options{}, &got), Routes: known{table}})
	for host, want := range map[string]int{
		"x/admin?": 400, "u:p@h": 400, "api.example.org:80/zz?": 400, `h\a`: 400, "h#a": 400, "a b": 400, "<h>": 400, "h\xe9": 400,
		"": 200, "h": 200, "api.example.org:80": 200, "[::1]:80": 200, "a_b.example,c;d='e'": 200, "a:b:c": 200, "%41": 200,
	} {
		for port, handler := range map[string]http.Handler{"api": handlers.API, "run": handlers.Run} {
			got = invoke.Call{}
			r := httptest.NewRequest(http.MethodGet, "/functions/n/f/run", http.NoBody)
			r.Host = host
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, r)
			if called := got.Ref != (function.Ref{}); rec.Code != want || called != (want == 200) {
				t.Errorf("%s port, host %q: %d %s, want %d; called %v", port, host, rec.Code, rec.Body, want, called)
			}
		}
	}
}

func TestFunctionsLearnTargetsFromThePathOn(t *testing.T) {
	web := function.GlobalsWeb
	var got invoke.Call
	handler := New(Options{
		Store: newFakeStore(), Invoker: asking(function.Options{Globals: &web}, &got),
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, // of httptest's requests
	}).API
	for _, row := range []struct{ target, forwarded, host, url string }{
		{"/functions/n/f/run?a=1", "", "h", "/functions/n/f/run?a=1"},
		{"/functions/n/f/run?a={\"é", "", "h", "/functions/n/f/run?a={\"é"},
		{"/functions/n/f/run?", "", "h", "/functions/n/f/run?"},
		{"http://zz/functions/n/f/run?a=1", "", "zz", "/functions/n/f/run?a=1"},
		{"http://u:p@zz/functions/n/f/run", "", "zz", "/functions/n/f/run"},
		{"/functions/n/f/run", "x/admin?", "h", "/functions/n/f/run"},
	} {
		text := "GET " + row.target + " HTTP/1.1\r\nHost: h\r\nX-Forwarded-Host: " + row.forwarded + "\r\n\r\n"
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr = "192.0.2.1:1"
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		var learnt struct{ Host, URL string }
		if err := json.Unmarshal(got.Request.HTTP, &learnt); err != nil {
			t.Fatalf("%s: %d %s: %v", row.target, rec.Code, rec.Body, err)
		}
		if learnt.Host != row.host || learnt.URL != row.url {
			t.Errorf("%s: learnt %+v, want %s and %s", row.target, learnt, row.host, row.url)
		}
	}
}
