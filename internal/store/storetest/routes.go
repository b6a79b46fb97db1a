package storetest

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// routeTests are of routes.
var routeTests = table{
	"Routes":                     testRoutes,
	"RouteNamesOfAnyKind":        testRouteNamesOfAnyKind,
	"ARoutePatternIsTakenOnce":   testARoutePatternIsTakenOnce,
	"APatternIsFreeAgain":        testAPatternIsFreeAgain,
	"OneOfManyPutsTakesAPattern": testOneOfManyPutsTakesAPattern,
	"RoutesHaveALimit":           testRoutesHaveALimit,
}

// route is a route to ref.
func route(name, host, path string) function.Route {
	return function.Route{Name: name, Host: host, Path: path, Function: ref}
}

func wantRoutes(t *testing.T, s Store, want ...function.Route) {
	t.Helper()
	got, err := s.Routes(t.Context())
	wantNoError(t, err)
	if !slices.Equal(got, want) {
		t.Errorf("routes are %+v, want %+v", got, want)
	}
	for _, r := range want {
		if one, err := s.Route(t.Context(), r.Name); err != nil || one != r {
			t.Errorf("route %q is %+v, %v", r.Name, one, err)
		}
	}
	_, err = s.Route(t.Context(), "there is none")
	wantError(t, err, function.ErrRouteNotFound)
}

func testRoutes(t *testing.T, s Store) {
	wantRoutes(t, s)
	b := route("b", "*.example.org", "/orders/{id}/*")
	wantNoError(t, s.PutRoute(t.Context(), b))
	a := route("a", "", "/é<&>")
	a.Function = function.Ref{Namespace: "n/s:1", ID: "a/b:c"}
	wantNoError(t, s.PutRoute(t.Context(), a))
	wantRoutes(t, s, a, b)
	b.Host, b.Path, b.Function.ID = "example.org", "/other", "f2"
	wantNoError(t, s.PutRoute(t.Context(), b))
	wantRoutes(t, s, a, b)
	for range 2 { // the second time it is missing
		wantNoError(t, s.DeleteRoute(t.Context(), "a"))
		wantRoutes(t, s, b)
	}
	for _, r := range []function.Route{
		{}, {Name: "r", Path: "/"}, {Name: "r", Function: ref}, {Path: "/", Function: ref},
	} {
		wantError(t, s.PutRoute(t.Context(), r), function.ErrIncomplete)
	}
	wantRoutes(t, s, b)
}

func testRouteNamesOfAnyKind(t *testing.T, s Store) {
	names := []string{"%", "/", ":", "a b", "pattern:/x", "route:", "é"}
	for i, name := range names {
		wantNoError(t, s.PutRoute(t.Context(), route(name, "", "/"+strconv.Itoa(i))))
	}
	var want []function.Route
	for i, name := range names {
		want = append(want, route(name, "", "/"+strconv.Itoa(i)))
	}
	wantRoutes(t, s, want...)
	for _, name := range names {
		wantNoError(t, s.DeleteRoute(t.Context(), name))
	}
	wantRoutes(t, s)
}

func wantTaken(t *testing.T, err error, by string) {
	t.Helper()
	taken, ok := errors.AsType[*function.RoutePatternError](err)
	if !ok || taken.Name != by {
		t.Errorf("got error %v, want one that names the route %q", err, by)
	}
}

func testARoutePatternIsTakenOnce(t *testing.T, s Store) {
	first := route("first", "h", "/x/{id}")
	wantNoError(t, s.PutRoute(t.Context(), first))
	wantTaken(t, s.PutRoute(t.Context(), route("second", "h", "/x/{name}")), "first")
	wantRoutes(t, s, first)
	renamed := route("first", "h", "/x/{name}")
	wantNoError(t, s.PutRoute(t.Context(), renamed))
	second := route("second", "", "/x/{name}")
	wantNoError(t, s.PutRoute(t.Context(), second))
	wantTaken(t, s.PutRoute(t.Context(), route("second", "h", "/x/{id}")), "first")
	wantRoutes(t, s, renamed, second)
}

func testAPatternIsFreeAgain(t *testing.T, s Store) {
	wantNoError(t, s.PutRoute(t.Context(), route("a", "", "/1")))
	wantNoError(t, s.PutRoute(t.Context(), route("a", "", "/2"))) // which frees /1
	wantNoError(t, s.PutRoute(t.Context(), route("b", "", "/1")))
	wantNoError(t, s.DeleteRoute(t.Context(), "a")) // which frees /2
	wantNoError(t, s.PutRoute(t.Context(), route("c", "", "/2")))
	wantRoutes(t, s, route("b", "", "/1"), route("c", "", "/2"))
}

func testOneOfManyPutsTakesAPattern(t *testing.T, s Store) {
	errs := make([]error, MaxRoutes)
	var writers sync.WaitGroup
	for i := range errs {
		writers.Go(func() { errs[i] = s.PutRoute(t.Context(), route(strconv.Itoa(i), "h", "/x")) })
	}
	writers.Wait()
	all, err := s.Routes(t.Context())
	wantNoError(t, err)
	if len(all) != 1 {
		t.Fatalf("%d routes have one pattern", len(all))
	}
	for i, err := range errs {
		if strconv.Itoa(i) == all[0].Name {
			wantNoError(t, err)
		} else {
			wantTaken(t, err, all[0].Name)
		}
	}
}

func testRoutesHaveALimit(t *testing.T, s Store) {
	var want []function.Route
	for i := range MaxRoutes {
		want = append(want, route(strconv.Itoa(i), "", "/"+strconv.Itoa(i)))
		wantNoError(t, s.PutRoute(t.Context(), want[i]))
	}
	wantError(t, s.PutRoute(t.Context(), route("x", "", "/x")), function.ErrTooManyRoutes)
	want[0].Path = "/y"
	wantNoError(t, s.PutRoute(t.Context(), want[0])) // it is not one more
	wantRoutes(t, s, want...)
	wantNoError(t, s.DeleteRoute(t.Context(), "7"))
	wantNoError(t, s.PutRoute(t.Context(), route("x", "", "/x")))
}
