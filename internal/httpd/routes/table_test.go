package routes_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/routes"
)

// table has a route for each pattern, a host and a path; its function's ID is the pattern.
func table(t testing.TB, patterns ...string) *routes.Table {
	t.Helper()
	all := make([]function.Route, len(patterns))
	for i, pattern := range patterns {
		host, path, _ := strings.Cut(pattern, "/")
		all[i] = function.Route{
			Name: pattern, Host: host, Path: "/" + path, Function: function.Ref{Namespace: "n", ID: pattern},
		}
	}
	var found routes.Table
	if err := found.Set(all); err != nil {
		t.Fatal(err)
	}
	return &found
}

func TestTheMostSpecificRouteWins(t *testing.T) {
	found := table(t,
		"/", "/*", "/orders", "/orders/", "/orders/{id}", "/orders/new", "/orders/{id}/items/*", "/orders/{order}/{what}",
		"/orders/*", "/a b/é", "/{x}/deep/{y}/end", "/files/*",
		strings.Repeat("/y", 31)+"/*", strings.Repeat("/z", 32),
		"api.example.org/orders/new", "api.example.org/only", "*.example.org/*", "*.b.example.org/orders/{id}", "[::1]/v6",
	)
	for _, row := range []struct {
		host, path string
		want       string // the pattern, the path below it, and the parameters
	}{
		{"", "/", "/ / map[]"},
		{"h", "/nothing/here", "/* /nothing/here map[]"},
		{"h", "/orders", "/orders / map[]"},
		{"h", "/orders/", "/orders/ / map[]"},
		{"h", "/orders/new", "/orders/new / map[]"},
		{"h", "/orders/n%65w", "/orders/new / map[]"},
		{"h", "/orders/42", "/orders/{id} / map[id:42]"},
		{"h", "/orders/a%2Fb%20c", "/orders/{id} / map[id:a/b c]"},
		{"h", "/orders/42/items", "/orders/{id}/items/* / map[id:42]"},
		{"h", "/orders/42/items/", "/orders/{id}/items/* / map[id:42]"},
		{"h", "/orders/42/items/a%2Fb/c?", "/orders/{id}/items/* /a%2Fb/c? map[id:42]"},
		{"h", "/orders/42/more", "/orders/{order}/{what} / map[order:42 what:more]"},
		{"h", "/orders/new/x/y", "/orders/* /new/x/y map[]"},
		{"h", "/orders//", "/orders/* // map[]"},
		{"h", "/orders/%ff", "/orders/* /%ff map[]"},
		{"h", "/orders/%zz", "/orders/* /%zz map[]"},
		{"h", "/ORDERS", "/* /ORDERS map[]"},
		{"h", "/a%20b/%C3%A9", "/a b/é / map[]"},
		{"h", "/a/deep/b/end", "/{x}/deep/{y}/end / map[x:a y:b]"},
		{"h", "/a/deep/b/other", "/* /a/deep/b/other map[]"},
		{"h", "/orders/deep/b/end", "/orders/* /deep/b/end map[]"},
		{"h", "/files", "/files/* / map[]"},
		{"h", strings.Repeat("/x", 32), "/* " + strings.Repeat("/x", 32) + " map[]"},
		{"h", strings.Repeat("/y", 32), strings.Repeat("/y", 31) + "/* /y map[]"},
		{"h", strings.Repeat("/y", 31), strings.Repeat("/y", 31) + "/* / map[]"},
		{"h", strings.Repeat("/z", 32), strings.Repeat("/z", 32) + " / map[]"},
		{"h", strings.Repeat("/z", 33), "/* " + strings.Repeat("/z", 33) + " map[]"},
		{"h", strings.Repeat("/y", 33), strings.Repeat("/y", 31) + "/* /y/y map[]"},
		{strings.Repeat("x.", 64<<10) + "example.org", "/orders", "/orders / map[]"},
		{"h", "/files/" + strings.Repeat("x/", 1000), "/files/* /" + strings.Repeat("x/", 1000) + " map[]"},
		{"api.example.org", "/orders/new", "api.example.org/orders/new / map[]"},
		{"API.Example.ORG.:8100", "/orders/new", "api.example.org/orders/new / map[]"},
		{"api.example.org", "/orders/1", "*.example.org/* /orders/1 map[]"}, // a host that matches comes before any
		{"x.y.example.org", "/orders/1", "*.example.org/* /orders/1 map[]"},
		{"a.b.example.org", "/orders/1", "*.b.example.org/orders/{id} / map[id:1]"},
		{"a.b.example.org", "/other", "*.example.org/* /other map[]"},
		{"b.example.org", "/orders/1", "*.example.org/* /orders/1 map[]"},
		{"example.org", "/orders/1", "/orders/{id} / map[id:1]"},
		{"xexample.org", "/orders/1", "/orders/{id} / map[id:1]"},
		{"[::1]:8100", "/v6", "[::1]/v6 / map[]"},
		{"[::1]", "/v6", "[::1]/v6 / map[]"},
	} {
		m, ok := found.Find(row.host, row.path)
		if got := fmt.Sprint(m.Ref.ID, " ", m.Path, " ", m.Params); !ok || got != row.want {
			t.Errorf("%s %.50s: %.100q, want %.100q", row.host, row.path, got, row.want)
		}
	}
}

func TestNothingMatchesWithoutARoute(t *testing.T) {
	var empty routes.Table
	for _, at := range []*routes.Table{&empty, table(t), table(t, "h/x", "*.h/{y}"), table(t, "/x/{y}/z")} {
		for _, path := range []string{"/", "", "*", "/x/", "/x/y", "//", "/x//z"} {
			if m, ok := at.Find("other", path); ok {
				t.Errorf("%q matches %+v", path, m)
			}
		}
	}
}

func TestSetReplacesAllRoutes(t *testing.T) {
	found := table(t, "/a", "/b")
	err := found.Set([]function.Route{
		{Name: "b", Path: "/b", Function: function.Ref{ID: "1"}},
		{Name: "same", Path: "/b", Function: function.Ref{ID: "2"}},
		{Name: "wrong", Path: "c"},
	})
	if err == nil || !strings.Contains(err.Error(), "route same: ") || !strings.Contains(err.Error(), "route wrong: ") {
		t.Errorf("error %v does not name the routes that are left out", err)
	}
	if _, ok := found.Find("", "/a"); ok {
		t.Error("/a is still there")
	}
	if m, ok := found.Find("", "/b"); !ok || m.Ref.ID != "1" {
		t.Errorf("/b is %+v", m)
	}
}

func TestRoutesThatCannotMatchAreRefused(t *testing.T) {
	long := "/" + strings.Repeat("x", function.MaxPattern)
	for pattern, want := range map[[2]string]string{
		{"", ""}:                               "does not begin with a slash",
		{"", "x"}:                              "does not begin with a slash",
		{"", long}:                             "1024 are the most",
		{"", strings.Repeat("/x", 33)}:         "33 segments, 32 are the most",
		{"", "/a?b"}:                           "one of % ? #",
		{"", "/a%20b"}:                         "one of % ? #",
		{"", "/a\n"}:                           "control characters",
		{"", "/\xff"}:                          "not UTF-8",
		{"", "/a//b"}:                          "two slashes",
		{"", "/../b"}:                          `".."`,
		{"", "/a/*/b"}:                         "only the last one",
		{"", "/a*"}:                            "only the last one",
		{"", "/{}"}:                            "a name has letters",
		{"", "/{1}"}:                           "a name has letters",
		{"", "/{a}/{a}"}:                       "{a} twice",
		{"", "/x{a}"}:                          "only a whole segment",
		{"", "/{a"}:                            "only a whole segment",
		{"h:80", "/"}:                          "without a port",
		{"H", "/"}:                             "in lower case",
		{"*", "/"}:                             "host is not",
		{"a.*.b", "/"}:                         "host is not",
		{"http://h", "/"}:                      "host is not",
		{"", "/a/:id"}:                         `segment ":id": write {id}`,
		{"h.", "/"}:                            "host is not",
		{strings.Repeat("h", 1024), "/"}:       "1024 are the most",
		{strings.Repeat("h.", 130) + "h", "/"}: "253 are the most",
		{"-h.example.org", "/"}:                "host is not",
		{"*.*.example.org", "/"}:               "host is not",
	} {
		if err := routes.Check(pattern[0], pattern[1]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: error %v, want one with %q", pattern, err, want)
		}
	}
	for _, pattern := range [][2]string{
		{"", long[:function.MaxPattern]},
		{"", strings.Repeat("/x", 32)},
		{"xn--bcher-kva.example", "/"},
		{"127.0.0.1", "/a/*"},
		{"localhost", "/{a}/{b}/*"},
		{"", "/a:b/:8080/:"},
	} {
		if err := routes.Check(pattern[0], pattern[1]); err != nil {
			t.Errorf("%.60q: %v", pattern, err)
		}
	}
}

// FuzzARouteFindsThePathsThatItIs matches a path that is written out against itself.
func FuzzARouteFindsThePathsThatItIs(f *testing.F) {
	f.Add("/a/{b}/*")
	f.Add("/a b/é")
	f.Add("/{a}/b/{c}")
	f.Fuzz(func(t *testing.T, path string) {
		if routes.Check("", path) != nil {
			return // no route has it, so there is nothing to find
		}
		found := table(t, path, "other.example.org/*")
		sent := strings.ReplaceAll(strings.ReplaceAll(path, "{", ""), "}", "")
		m, ok := found.Find("h", sent)
		if !ok {
			t.Fatalf("%q does not match %q", path, sent)
		}
		for name := range maps.Keys(m.Params) {
			if m.Params[name] != name {
				t.Errorf("parameter %q of %q is %q", name, path, m.Params[name])
			}
		}
	})
}

// FuzzAnyPathIsFoundOrNot has requests of any form. A route that is found has the parameters of its names.
func FuzzAnyPathIsFoundOrNot(f *testing.F) {
	found := table(f, "/", "/a/{b}", "/a/{b}/*", "/{x}/{y}/{z}", "h/{a}/*", "*.h/a", "[::1]/a")
	f.Add("h", "/a/%2F/c")
	f.Add("a.h:80", "/a")
	f.Add("[::1]:80", "//")
	f.Add(":", "/%")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, host, path string) {
		m, ok := found.Find(host, path)
		if names := strings.Count(m.Ref.ID, "{"); len(m.Params) != names {
			t.Errorf("%q on %q: %d parameters, the route %q has %d", path, host, len(m.Params), m.Ref.ID, names)
		}
		if ok && (!strings.HasPrefix(m.Path, "/") || !strings.HasSuffix(path, m.Path) && m.Path != "/") {
			t.Errorf("%q on %q: the rest is %q", path, host, m.Path)
		}
		for name, value := range m.Params {
			if value == "" || !utf8.ValidString(value) {
				t.Errorf("%q on %q: %s is %q", path, host, name, value)
			}
		}
	})
}

// BenchmarkFind has as many routes as a server takes.
func BenchmarkFind(b *testing.B) {
	patterns := make([]string, function.MaxRoutes)
	for i := range patterns {
		patterns[i] = fmt.Sprintf("h%d.example.org/orders/{id}/items/*", i)
	}
	found := table(b, patterns...)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := found.Find("h77.example.org", "/orders/42/items/7"); !ok {
			b.Fatal("not found")
		}
	}
}
