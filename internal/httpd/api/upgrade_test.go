package api

import (
	"net/http"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// handshake are the headers of a request that opens a WebSocket connection.
var handshake = []string{
	"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13",
	"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==",
}

func TestUpgradesAreCallsUnlessTheFunctionAsksForMore(t *testing.T) {
	for name, row := range map[string]struct {
		option *function.WebSocket
		want   int
	}{
		"no option":    {nil, http.StatusOK},
		"switched off": {&function.WebSocket{}, http.StatusOK},
		"none here":    {&function.WebSocket{On: true}, http.StatusNotImplemented},
	} {
		invoker := answering(&sandbox.Result{Status: 200}, nil)
		invoker.find = func(ref function.Ref) (invoke.Found, error) {
			return invoke.Found{Function: &function.Function{Ref: ref, Options: function.Options{WebSocket: row.option}}}, nil
		}
		url := serve(t, Options{Invoker: invoker})
		res, body := do(t, newRequest(t, "GET", url+"/functions/ns/f/run", "", handshake...))
		if res.StatusCode != row.want {
			t.Errorf("%s: answered %d %s", name, res.StatusCode, body)
		}
	}
	url := serve(t, Options{})
	for _, path := range []string{"/connections/x", "/connections"} {
		for _, header := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"},
		} {
			res, body := do(t, newRequest(t, "POST", url+"/namespaces/ns"+path, "hi", header...))
			if res.StatusCode != http.StatusForbidden {
				t.Errorf("%s %v: answered %d %s", path, header, res.StatusCode, body)
			}
		}
	}
	for _, method := range []string{"POST", "GET", "DELETE"} {
		res, body := do(t, newRequest(t, method, url+"/namespaces/ns/connections/x", "hi"))
		if res.StatusCode != http.StatusNotImplemented {
			t.Errorf("%s: answered %d %s", method, res.StatusCode, body)
		}
	}
}
