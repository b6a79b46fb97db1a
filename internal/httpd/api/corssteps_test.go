package api

import (
	"fmt"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
)

// A page may call a pipeline, and read its answer, if it may call the functions of all its steps.
func TestPagesMayCallPipelinesOfFunctionsThatLetThem(t *testing.T) {
	options := map[string]*function.CORS{
		"both": {Origins: []string{app, "https://b.example"}, Headers: []string{"X-A"}, Credentials: true},
		"app":  {Origins: []string{app}, Headers: []string{"x-a"}, Credentials: true},
		"all":  {Origins: []string{"*"}},
		"none": nil,
	}
	v := asking(function.Options{}, new(invoke.Call))
	v.find = func(ref function.Ref) (invoke.Found, error) {
		c, ok := options[ref.ID]
		if !ok {
			return invoke.Found{}, &function.NotFoundError{Ref: ref}
		}
		return invoke.Found{Function: &function.Function{Ref: ref, Options: function.Options{CORS: c}}}, nil
	}
	url := serve(t, Options{Invoker: v})
	const (
		allowed = "Allow-Credentials=true Allow-Origin=" + app
		methods = " Allow-Methods=GET, HEAD, POST, PUT, PATCH, DELETE "
		asked   = "Access-Control-Request-Method,Access-Control-Request-Headers"
	)
	for _, row := range []struct {
		first, second, origin string
		preflight             int
		asks, reads           string
	}{
		{
			"both", "app", app, 204,
			"Allow-Credentials=true Allow-Headers=X-A" + methods + "Allow-Origin=" + app + " Vary=" + asked + ",Origin",
			allowed + " Vary=Origin",
		},
		{
			"all", "app", app, 204,
			methods[1:] + "Allow-Origin=" + app + " Vary=" + asked + ",Origin",
			"Allow-Origin=" + app + " Vary=Origin",
		},
		{"both", "app", "https://b.example", 403, "Vary=" + asked + ",Origin", "Vary=Origin"},
		{"both", "none", app, 200, "", ""},
		{"both", "missing", app, 200, "", ""},
		{"all", "all", app, 204, methods[1:] + "Allow-Origin=* Vary=" + asked, "Allow-Origin=*"},
	} {
		path := fmt.Sprintf("%s/functions/pipeline?steps[0]=n/%s&steps[1]=n/%s", url, row.first, row.second)
		name := row.first + ", " + row.second + " for " + row.origin
		res, text := do(t, newRequest(t, "OPTIONS", path, "", "Origin", row.origin, corsAsksMethod, "PUT"))
		if got := corsHeadersOf(res.Header); res.StatusCode != row.preflight || got != row.asks {
			t.Errorf("%s: preflight %d %s with %s, want %s", name, res.StatusCode, text, got, row.asks)
		}
		res, text = do(t, newRequest(t, "PUT", path, "", "Origin", row.origin))
		if got := corsHeadersOf(res.Header); got != row.reads {
			t.Errorf("%s: %d %s with %s, want %s", name, res.StatusCode, text, got, row.reads)
		}
	}
}
