package api

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/reach"
	"github.com/backstage/functions/internal/httpd/routes"
)

// from sends a request to a handler as a caller at an address, and returns the status and the body of the answer.
func from(h http.Handler, remote, host, method, target string, header ...string) (int, string) {
	w := answerFrom(h, remote, host, method, target, header...)
	return w.Code, w.Body.String()
}

// answerFrom is from for the whole answer.
func answerFrom(h http.Handler, remote, host, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", http.NoBody)
	r.RequestURI = target
	r.URL, _ = r.URL.Parse(target)
	r.RemoteAddr, r.Host = remote, host
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// everything are requests for each method of each resource, in several spellings, and for what is none.
func everything() map[string][]string {
	all := map[string][]string{}
	for _, res := range newServer(Options{Auth: AuthOn}.withDefaults()).resources() {
		path := strings.NewReplacer("{", "", "}", "", "*", "x").Replace(res.path)
		for _, m := range res.methods {
			method := strings.Replace(m.name, "*", "PATCH", 1)
			all[res.path] = append(all[res.path], method+" "+path, method+" "+strings.ToUpper(path), method+" "+path+"/")
		}
		all[res.path] = append(all[res.path], "OPTIONS "+path, "TRACE "+path)
	}
	all["none"] = []string{
		"GET /none", "GET //functions", "GET /functions/../functions", "GET /%66unctions", "GET /./functions", "GET /functions%2f",
		"PUT //functions/n/f", "GET /functions/n%2ff", "GET /functions/n/f/none", "GET /stored", "GET /x/../functions",
	}
	return all
}

func testReach() (Handlers, error) {
	table := new(routes.Table)
	err := table.Set([]function.Route{
		{Name: "any", Path: "/stored", Function: function.Ref{Namespace: "n", ID: "f"}},
		{Name: "host", Host: "shop.example.org", Path: "/stored", Function: function.Ref{Namespace: "n", ID: "f"}},
		{Name: "below", Host: "*.example.net", Path: "/*", Function: function.Ref{Namespace: "n", ID: "f"}},
	})
	return New(Options{
		Store: newFakeStore(), Invoker: &fakeInvoker{}, Routes: known{table},
		Reach: Reach{LocalOnly: true, Hosts: reach.Loopback(), RunHosts: reach.NewHosts("run.example.org")},
	}), err
}

func TestOnlyCallersOnThisMachineAreAnswered(t *testing.T) {
	handlers, err := testReach()
	if err != nil {
		t.Fatal(err)
	}
	forged := []string{
		"X-Forwarded-For", "127.0.0.1", "X-Real-IP", "127.0.0.1", "Forwarded", "for=127.0.0.1", "X-Forwarded-Host", "localhost",
	}
	for _, path := range slices.Sorted(maps.Keys(everything())) {
		for _, what := range everything()[path] {
			method, target, _ := strings.Cut(what, " ")
			for _, remote := range []string{"192.0.2.7:5", "[2001:db8::1]:5", "10.1.2.3:5"} {
				status, body := from(handlers.API, remote, "localhost:8100", method, target, forged...)
				if refused := status == 403 && strings.Contains(body, `"reason":"protected"`); refused == (path == livezPath) {
					t.Errorf("%s from %s: %d %s", what, remote, status, body)
				}
			}
			for _, remote := range []string{"127.0.0.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5"} {
				if status, body := from(handlers.API, remote, "localhost:8100", method, target); status == 403 {
					t.Errorf("%s from %s: %d %s", what, remote, status, body)
				}
			}
		}
	}
	_, body := from(handlers.API, "192.0.2.7:5", "localhost", "GET", "/")
	for _, way := range []string{"AUTH=on", "HOST=", "loopback"} {
		if !strings.Contains(body, way) {
			t.Errorf("%s does not name %s", body, way)
		}
	}
	if status, _ := from(handlers.Run, "192.0.2.7:5", "run.example.org", "GET", "/functions/n/f/run"); status == 403 {
		t.Error("the port for runs is for everybody")
	}
}

func TestOnlyAllowedHostsAreAnswered(t *testing.T) {
	handlers, err := testReach()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(everything())) {
		for _, what := range everything()[path] {
			method, target, _ := strings.Cut(what, " ")
			status, body := from(handlers.API, "127.0.0.1:5", "evil.example:8100", method, target)
			probe := path == livezPath || path == "/readyz" || path == "/healthcheck"
			if refused := status == 421 && strings.Contains(body, `"reason":"host"`); refused == probe {
				t.Errorf("%s: %d %s", what, status, body)
			}
		}
	}
	const run = "/functions/n/f/run"
	for _, row := range []struct {
		on           http.Handler
		host, target string
		misdirected  bool
	}{
		{handlers.API, "shop.example.org", "/stored", false},
		{handlers.API, "shop.example.org", run, true},
		{handlers.API, "evil.example", "/stored", true},
		{handlers.API, "a.example.net", "/stored", false},
		{handlers.API, "a.example.net", "/functions", true},
		{handlers.API, "", run, false},
		{handlers.Run, "run.example.org", run, false},
		{handlers.Run, "localhost", run, true},
		{handlers.Run, "shop.example.org", "/stored", false},
		{handlers.Run, "shop.example.org", run, true},
		{handlers.Run, "localhost", "/livez", false},
		{handlers.Run, "localhost", "/none", true},
	} {
		status, body := from(row.on, "127.0.0.1:5", row.host, "GET", row.target)
		if (status == http.StatusMisdirectedRequest) != row.misdirected {
			t.Errorf("%s of %q: %d %s", row.target, row.host, status, body)
		}
	}
	if _, body := from(handlers.API, "127.0.0.1:5", strings.Repeat("h", 9999), "GET", "/"); len(body) > 500 {
		t.Errorf("a long host is repeated: %d bytes", len(body))
	}
}

// A page whose name was made to lead here can send every header but Host.
func TestNoHeaderStandsForAnAllowedHost(t *testing.T) {
	handlers := New(Options{
		Store: newFakeStore(), Invoker: &fakeInvoker{}, TrustedProxies: loopbackProxies,
		Reach: Reach{Hosts: reach.NewHosts("api.example.org", "10.0.0.1")},
	})
	for _, row := range []struct {
		host, told string
		want       int
	}{
		{"evil.example", "api.example.org", 421},
		{"10.0.0.1", "evil.example", 421},
		{"10.0.0.1:8100", "api.example.org", 200},
		{"api.example.org", "", 200},
	} {
		header := []string{"X-Forwarded-Host", row.told}
		if row.told == "" {
			header = nil
		}
		if status, body := from(handlers.API, "127.0.0.1:5", row.host, "GET", "/", header...); status != row.want {
			t.Errorf("%s, told %q: %d %s", row.host, row.told, status, body)
		}
	}
}
