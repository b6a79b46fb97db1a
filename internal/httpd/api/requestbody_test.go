package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

const deployable = `{"code":"function main(req, res) { res.send(1) }"}`

func TestIgnoredBodySaysSoAndWhy(t *testing.T) {
	const (
		missing  = `{"error":"Invalid instance","details":["instance requires property \"code\""`
		noText   = `{"error":"Invalid instance","details":["instance is not of a type(s) string"`
		untyped  = `"the body was ignored since the request has no Content-Type: send Content-Type: application/json"]}`
		form     = `"the body was ignored since its Content-Type is application/x-www-form-urlencoded: send Content-Type: application/json"]}`
		formType = "application/x-www-form-urlencoded"
	)
	for _, test := range []struct{ method, path, contentType, body, want string }{
		{"PUT", "/functions/n/f", "", deployable, missing + "," + untyped},
		{"PUT", "/functions/n/f", formType, deployable, missing + "," + form},
		{"PUT", "/functions/n/f", "", `{"code":"1"}`, missing + "]}"},
		{"PUT", "/functions/n/f", "", "", missing + "]}"},
		{"PUT", "/functions/n/f", "text/plain", "main", missing + "]}"},
		{"POST", "/functions/n/f", "", deployable, missing + "," + untyped},
		{"PUT", "/functions/n/f/env/A", formType, `"v"`, noText + "," + form},
		{"PUT", "/functions/n/f/env/A", formType, "v", noText + "]}"},
		{"PUT", "/namespaces/n", "", `{"maxConcurrency":5}`, `{"error":"Invalid instance","details":[` + untyped},
	} {
		store := newFakeStore()
		url := serve(t, Options{Store: store})
		var header []string
		if test.contentType != "" {
			header = []string{"Content-Type", test.contentType}
		}
		res, body := do(t, newRequest(t, test.method, url+test.path, test.body, header...))
		expect(t, res, body, http.StatusBadRequest, test.want)
		if len(store.functions) > 0 {
			t.Errorf("%v: stored", test)
		}
	}
}

func TestPostOfAFunctionIsPut(t *testing.T) {
	store := newFakeStore()
	url := serve(t, Options{Store: store})
	put, putBody := do(t, newRequest(t, "PUT", url+"/functions/n/f", deployable, "Content-Type", "application/json"))
	clear(store.functions)
	res, body := do(t, newRequest(t, "POST", url+"/functions/n/f", deployable, "Content-Type", "application/json"))
	expect(t, res, body, http.StatusOK, putBody)
	for _, name := range []string{"ETag", "Content-Type"} {
		if res.Header.Get(name) != put.Header.Get(name) {
			t.Errorf("%s %q, want %q", name, res.Header.Get(name), put.Header.Get(name))
		}
	}
	if store.functions[function.Ref{Namespace: "n", ID: "f"}] == nil {
		t.Error("not stored")
	}
	for _, body := range []string{"", "{", "[]", `{"code":"1"}`} {
		res, answer := do(t, newRequest(t, "POST", url+"/functions/n/g", body, "Content-Type", "application/json"))
		expect(t, res, answer, http.StatusNotFound, `{"error":"Cannot POST /functions/n/g"}`)
	}
}

func TestRequestWithoutRoomForItsBodyIsRefused(t *testing.T) {
	store := newFakeStore()
	url := serve(t, Options{Store: store, Grow: func(*http.Request, int) bool { return false }})
	long := `{"code":"function main() {}` + strings.Repeat(" ", 10_000) + `"}`
	for _, path := range []string{"/functions/n/f", "/functions/n/f/run", "/functions/n/f/env/A", "/namespaces/n", "/functions/pipeline?steps[]=n/f"} {
		res, body := do(t, newRequest(t, "PUT", url+path, long, "Content-Type", "application/json"))
		expect(t, res, body, http.StatusServiceUnavailable, `{"error":"No memory for more requests","reason":"body_memory"}`)
		if res.Header.Get("Retry-After") == "" || !res.Close {
			t.Errorf("%s: headers %v", path, res.Header)
		}
	}
	if len(store.functions) > 0 {
		t.Error("something was stored")
	}
	res, body := do(t, newRequest(t, "PUT", url+"/functions/n/f", deployable, "Content-Type", "application/json"))
	if res.StatusCode != http.StatusOK {
		t.Errorf("a short body: %d %s", res.StatusCode, body)
	}
}
