package api

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// routesAlone is a router with all resources, whose handlers name them.
func routesAlone() *mux.Router {
	router := mux.NewRouter().UseEncodedPath().SkipClean(true)
	for _, res := range newServer(Options{}.withDefaults()).resources() {
		router.Handle(template(res.path), named(res.path))
	}
	return router
}

type named string

func (named) ServeHTTP(http.ResponseWriter, *http.Request) {}

// checkPlainRun fails t if plainRun finds in path what the routes do not. It says whether it finds anything.
func checkPlainRun(t *testing.T, router *mux.Router, path string) bool {
	t.Helper()
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return false
	}
	ref, ok := plainRun(u)
	if !ok {
		return false
	}
	var match mux.RouteMatch
	if !router.Match(&http.Request{Method: "GET", URL: u}, &match) || match.Handler != named(runPath) {
		t.Fatalf("%q is a run of %s, the routes find %v", path, ref, match.Handler)
	}
	namespace, err := decodeName(match.Vars["namespace"], "namespace")
	if err != nil {
		t.Fatalf("%q is a run of %s: %v", path, ref, err)
	}
	id, err := decodeName(match.Vars["id"], "id")
	if want := (function.Ref{Namespace: namespace, ID: id}); err != nil || ref != want {
		t.Fatalf("%q is a run of %s, the routes find %s, %v", path, ref, want, err)
	}
	return true
}

func TestPlainRunFindsWhatTheRoutesFind(t *testing.T) {
	router := routesAlone()
	for path, plain := range map[string]bool{
		"/functions/n/f/run":                                    true,
		"/functions/n/f/run?a=/functions/x/y/run":               true,
		"/functions/n/f/run#x":                                  false,
		"http://h/functions/n/f/run":                            true,
		"/functions/run/run/run":                                true,
		"/functions/pipeline/f/run":                             true,
		"/functions/../.~_-/run":                                true,
		"/functions/n/" + strings.Repeat("f", maxName) + "/run": true,
		"/functions/n/" + strings.Repeat("f", 1025) + "/run":    false,
		"/functions/n/f/run/":                                   false,
		"/functions/n/f/run/x/run":                              false,
		"/functions/n/f/Run":                                    false,
		"/Functions/n/f/run":                                    false,
		"//functions/n/f/run":                                   false,
		"/functions//f/run":                                     false,
		"/functions/n//run":                                     false,
		"/functions/n/run":                                      false,
		"/functions/run":                                        false,
		"/functions/a/n/f/run":                                  false,
		"/functions/n%2Ff/f/run":                                false,
		"/functions/n/%66/run":                                  false,
		"/functions/n/f%2Frun":                                  false,
		"/functions/n/f/%72un":                                  false,
		"/functions/n/é/run":                                    false,
		"/functions/n/a:b/run":                                  false,
		"/functions/n/a b/run":                                  false,
	} {
		if checkPlainRun(t, router, path) != plain {
			t.Errorf("%q is plain: %v, want %v", path, !plain, plain)
		}
	}
}

func FuzzPlainRun(f *testing.F) {
	for _, path := range []string{"/functions/n/f/run", "/functions/n%2Fx/f/run", "/functions/n/f/run/", "/functions//run"} {
		f.Add(path)
	}
	router := routesAlone()
	f.Fuzz(func(t *testing.T, path string) { checkPlainRun(t, router, path) })
}

// A run is the same resource to those who are told of it, however its path is written.
func TestAPlainRunIsTheResourceOfAllRuns(t *testing.T) {
	for _, path := range []string{"/functions/n/f/run", "/functions/n/f/run/", "/functions/n/%66/Run"} {
		var routes []string
		var vars map[string]string
		handlers := New(Options{
			Store: newFakeStore(), Invoker: answering(&sandbox.Result{Status: 200, Body: []byte("1")}, nil),
			Routed: func(r *http.Request, route string) { routes, vars = append(routes, route), varsOf(r) },
		})
		for _, handler := range []http.Handler{handlers.API, handlers.Run} {
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, httptest.NewRequest("PUT", path, nil))
			if rec.Code != 200 || vars["namespace"] != "n" {
				t.Errorf("%s: %d, variables %v", path, rec.Code, vars)
			}
		}
		if len(routes) != 2 || routes[0] != runPath || routes[1] != runPath {
			t.Errorf("%s is served by %q", path, routes)
		}
	}
}
