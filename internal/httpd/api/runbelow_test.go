package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
)

func TestAPathBelowRunReachesTheFunctionsThatLearnOfIt(t *testing.T) {
	raw, web := function.BodyRaw, function.GlobalsWeb
	for _, options := range []function.Options{{Body: &raw}, {Globals: &web}} {
		for path, want := range map[string]string{
			"/functions/n/f/run":                     "/",
			"/functions/n/f/run/":                    "/",
			"/functions/n/f/run/x":                   "/x",
			"/functions/n/f/Run/x/":                  "/x/",
			"/FUNCTIONS/n/f/run/a%2Fb//%C3%A9/..?c=": "/a%2Fb//%C3%A9/..",
		} {
			var got invoke.Call
			handlers := New(Options{Store: newFakeStore(), Invoker: asking(options, &got)})
			for port, handler := range map[string]http.Handler{"API": handlers.API, "run": handlers.Run} {
				rec := httptest.NewRecorder()
				handler.ServeHTTP(rec, httptest.NewRequest("OPTIONS", path, nil))
				if rec.Code != 200 || !strings.HasPrefix(string(got.Request.HTTP), fmt.Sprintf(`{"path":%q,`, want)) {
					t.Errorf("%s on the port %s: %d %s, path %s", path, port, rec.Code, rec.Body, got.Request.HTTP)
				}
			}
		}
	}
}

// TestAPathBelowRunIsUnknownToOthers has functions of before, whose answers do not change.
func TestAPathBelowRunIsUnknownToOthers(t *testing.T) {
	const path = "/functions/n/f/run/x?a=1"
	classic := function.BodyJSON
	for name, found := range map[string]func(function.Ref) (invoke.Found, error){
		"missing": func(ref function.Ref) (invoke.Found, error) {
			return invoke.Found{}, &function.NotFoundError{Ref: ref}
		},
		"classic": asking(function.Options{}, new(invoke.Call)).find,
		"json":    asking(function.Options{Body: &classic}, new(invoke.Call)).find,
	} {
		url := serve(t, Options{Invoker: &fakeInvoker{find: found}})
		for _, method := range []string{"GET", "PUT", "OPTIONS"} {
			res, body := do(t, newRequest(t, method, url+path, "{", "Content-Type", jsonType))
			expect(t, res, body, 404, fmt.Sprintf(`{"error":"Cannot %s %s"}`, method, path))
			if res.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: the headers are not those of an unknown path: %v", name, res.Header)
			}
		}
	}
	away := func(function.Ref) (invoke.Found, error) {
		return invoke.Found{}, fmt.Errorf("%w: %w", function.ErrUnavailable, errors.New("refused"))
	}
	res, body := do(t, newRequest(t, "GET", serve(t, Options{Invoker: &fakeInvoker{find: away}})+path, ""))
	expect(t, res, body, 503, `{"error":"Storage is unavailable"}`)
}
