package api

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

func TestEveryAnswerHasARequestID(t *testing.T) {
	url := serve(t, Options{Invoker: &fakeInvoker{run: func(invoke.Call) (*sandbox.Result, error) { panic("broken") }}})
	for _, test := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/", "", 200},
		{"HEAD", "/", "", 200},
		{"GET", "/livez", "", 200},
		{"GET", "/readyz", "", 200},
		{"GET", "/healthcheck", "", 200},
		{"GET", "/status", "", 200},
		{"GET", "/nope", "", 404},
		{"DELETE", "/functions/n/f", "", 204},
		{"OPTIONS", "/functions", "", 200},
		{"PUT", "/functions/n/f", "{", 400},
		{"GET", "/functions?page=x", "", 400},
		{"PUT", "/functions/n/f/run", "", 500},
		{"GET", "/" + strings.Repeat("x", maxURL), "", 414},
	} {
		for given, want := range map[string]string{"": `[0-9a-f-]{36}`, "call-7": "call-7", "no good": `[0-9a-f-]{36}`} {
			r := newRequest(t, test.method, url+test.path, test.body)
			r.Header.Set("Content-Type", "application/json")
			if given != "" {
				r.Header.Set("X-Request-Id", given)
			}
			res, body := do(t, r)
			if got := res.Header["X-Request-Id"]; res.StatusCode != test.status || len(got) != 1 || !regexp.MustCompile("^"+want+"$").MatchString(got[0]) {
				t.Errorf("%s %.20s: %d %q %s", test.method, test.path, res.StatusCode, got, body)
			}
		}
	}
}

func TestRefusalsOfTheHTTPServerHaveARequestID(t *testing.T) {
	url := serve(t, Options{})
	for _, request := range []string{"nonsense\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET /a%zz HTTP/1.1\r\nHost: h\r\n\r\n"} {
		answer := refusal(t, url, request)
		if !regexp.MustCompile(`\r\n` + http.CanonicalHeaderKey(headerRequestID) + `: [0-9a-f-]{36}\r\n`).MatchString(answer) {
			t.Errorf("%q: %s", request, answer)
		}
	}
}
