package main

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// attacked is a server as make run starts it, with a port for runs too, and functions that a page goes for.
func attacked(t *testing.T) (s *server, run string) {
	t.Helper()
	s = startServer(t, "HOST=", "RUN_PORT=0", "STORAGE=inmemory", "WEBSOCKET_CONNECTIONS=10")
	put(t, s.url+"/functions/n/f", `function main(req, res) { res.send('kept') }`, "")
	put(t, s.url+"/functions/n/counts", `function main(req, res) { console.log('counted'); res.send(1) }`, "")
	put(t, s.url+"/functions/n/page", `function main(req, res) {
		const probe = `+"`"+`async function probe() {
			let cookie = 'no cookies'
			try { cookie = String(document.cookie) } catch (e) { cookie = e.name }
			const read = await fetch('/functions/n/f').then(answer => answer.status, e => e.name)
			parent.postMessage([cookie, read, 'scripts run'].join(), '*')
		}
		probe()`+"`"+`
		res.set({ 'Content-Type': 'text/html', 'Clear-Site-Data': '"storage"' }).end('<script>' + probe + '</' + 'script>')
	}`, `"body":"auto"`)
	return s, "http://127.0.0.1:" + s.logs.said(t, `listening for runs alone on port (\d+)`)
}

// kept says whether the functions are those that attacked has put, and none other.
func kept(t *testing.T, s *server, want string) {
	t.Helper()
	if _, answer := request(t, "GET", s.url+"/functions/n/f", ""); !strings.Contains(answer, "res.send('kept')") {
		t.Errorf("the function was changed: %s", answer)
	}
	if _, answer := request(t, "GET", s.url+"/functions?namespace=n", ""); !strings.Contains(answer, want) {
		t.Errorf("the functions are %s, want %s", answer, want)
	}
	if status, answer := request(t, "GET", s.url+"/namespaces/n", ""); status != http.StatusNotFound {
		t.Errorf("the namespace has settings: %d %s", status, answer)
	}
}

// testPagesOfOtherSites has a page of a name that leads here by http, and of localhost, which browsers trust as they do
// https. To the server at 127.0.0.1 both are other sites.
func testPagesOfOtherSites(t *testing.T) {
	for _, host := range []string{"evil.example", "localhost"} {
		s, run := attacked(t)
		names := strings.NewReplacer("FUNCTIONS", s.url, "RUNS", run)
		found := visit(t, "reach.html", names, host, http.NotFoundHandler(), func(origin string) {
			put(t, s.url+"/functions/n/shared", `function main(req, res) { res.send(req.body.x + 1) }`,
				`"cors":{"origins":["`+origin+`"],"headers":["Content-Type"]}`)
		})
		for name, want := range map[string]string{
			"put": "TypeError", "delete": "TypeError", "settings": "TypeError", "read": "TypeError", "list": "TypeError",
			"text": "opaque 0 ", "urlencoded": "opaque 0 ", "multipart": "opaque 0 ", "socket": "opaque 0 ", "beacon": "true",
			"form": "sent", "form of text": "sent", "form of files": "sent",
			"run with cors": "cors 200 2", "run without cors": "TypeError", "run, not read": "opaque 0 ",
			"page on PORT":     "null SecurityError,TypeError,scripts run",
			"page on RUN_PORT": run + " ,404,scripts run",
			"failed":           "",
		} {
			if found[name] != want {
				t.Errorf("%s: %s: %q, want %q", host, name, found[name], want)
			}
		}
		kept(t, s, `"items":[{"namespace":"n","id":"counts"},{"namespace":"n","id":"f"},{"namespace":"n","id":"page"},`+
			`{"namespace":"n","id":"shared"}]`)
		if _, answer := request(t, "GET", s.url+"/functions/n/counts/logs", ""); !strings.Contains(answer, "counted") {
			t.Errorf("%s: a page could not run a function: %s", host, answer)
		}
	}
}

// testReboundPage has a page whose own origin leads to the server once the page is there.
func testReboundPage(t *testing.T) {
	s, _ := attacked(t)
	server, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	rebound := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = server.Scheme, server.Host // and the header Host as it came
		r.Out.Host = r.In.Host
		r.Out.Header["X-Forwarded-Host"], r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-Host"], nil
	}}
	found := visit(t, "rebound.html", strings.NewReplacer(), "evil.example", rebound, func(string) {})
	for _, name := range []string{"put", "delete", "read", "list", "run", "status", "other"} {
		if !strings.HasPrefix(found[name], "421 ") || !strings.Contains(found[name], `"reason":"host"`) {
			t.Errorf("%s: %q", name, found[name])
		}
	}
	if failed, ok := found["failed"]; ok {
		t.Errorf("the page failed: %s", failed)
	}
	kept(t, s, `"items":[{"namespace":"n","id":"counts"},{"namespace":"n","id":"f"},{"namespace":"n","id":"page"}]`)
}
