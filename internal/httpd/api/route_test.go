package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/routes"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/sandbox"
)

const jsonType = "application/json"

func putRoute(t *testing.T, url, name, body string) (*http.Response, string) {
	t.Helper()
	return do(t, newRequest(t, "PUT", url+"/routes/"+name, body, "Content-Type", jsonType))
}

func TestRoutesAreStoredShownAndDeleted(t *testing.T) {
	url := serve(t, Options{})
	const orders = `{"name":"orders","host":"api.example.org","path":"/orders/{id}/*","function":"n%2Fs/f"}`
	res, body := putRoute(t, url, "orders", `{"host":"api.example.org","path":"/orders/{id}/*","function":"n%2fs/f"}`)
	expect(t, res, body, 200, orders)
	if got := res.Header.Get("Content-Type"); !strings.HasSuffix(got, "/_schemas/routes/item") {
		t.Errorf("Content-Type is %q", got)
	}
	res, body = putRoute(t, url, "orders", orders) // what was shown can be put again
	expect(t, res, body, 200, orders)
	res, body = putRoute(t, url, "a%20b", `{"path":"/é","function":"é +%25/f:1"}`)
	expect(t, res, body, 200, `{"name":"a b","path":"/é","function":"é +%25/f:1"}`)
	res, body = do(t, newRequest(t, "GET", url+"/routes/orders", ""))
	expect(t, res, body, 200, orders)
	res, body = do(t, newRequest(t, "GET", url+"/routes?perPage=1&page=2", ""))
	expect(t, res, body, 200, `{"items":[`+orders+`],"page":2,"perPage":1,"previousPage":1}`)
	res, body = do(t, newRequest(t, "GET", url+"/routes?perPage=0", ""))
	expect(t, res, body, 400, `{"error":"Page and / or Per Page cannot be lower than 1"}`)
	for range 2 {
		res, body = do(t, newRequest(t, "DELETE", url+"/routes/orders", ""))
		expect(t, res, body, 204, "")
	}
	res, body = do(t, newRequest(t, "GET", url+"/routes/orders", ""))
	expect(t, res, body, 404, `{"error":"Route not found"}`)
}

func TestRoutesThatCannotBeServedAreRefused(t *testing.T) {
	url := serve(t, Options{})
	for _, row := range []struct{ body, want string }{
		{`{}`, `instance requires property \"path\"","instance requires property \"function\"`},
		{`[]`, `instance is not of a type(s) object`},
		{`{"path":1,"function":"n/f"}`, `instance.path is not of a type(s) string`},
		{`{"path":"/","function":"n/f","paht":"/"}`, `instance additionalProperty \"paht\" exists in instance`},
		{`{"path":"orders","function":"n/f"}`, `instance.path does not begin with a slash`},
		{`{"path":"/a/:id","function":"n/f"}`, `instance.path has the segment \":id\": write {id}`},
		{`{"path":"/functions/*","function":"n/f"}`, `instance.path begins with /functions, which the server keeps for`},
		{`{"path":"/Status","host":"h","function":"n/f"}`, `begins with /Status, which the server keeps for itself`},
		{`{"path":"/","host":"h:80","function":"n/f"}`, `instance.host is not a name such as`},
		{`{"path":"/","function":"f"}`, `instance.function is not such as`},
		{`{"path":"/","function":"n/a/b"}`, `instance.function is not such as`},
		{`{"path":"/","function":"n/"}`, `instance.function: The id name must not be empty`},
		{`{"path":"/","function":"n/%zz"}`, `instance.function: Failed to decode param '%zz'`},
		{`{"path":"/` + strings.Repeat("x", function.MaxPattern) + `","function":"n/f"}`, `1024 are the most`},
	} {
		res, body := putRoute(t, url, "r", row.body)
		if res.StatusCode != 400 || !strings.Contains(body, row.want) {
			t.Errorf("%.60s: %d %s, want %s", row.body, res.StatusCode, body, row.want)
		}
	}
	res, body := putRoute(t, url, strings.Repeat("n", 129), `{"path":"/","function":"n/f"}`)
	expect(t, res, body, 400, `{"error":"The route name must not be longer than 128 bytes"}`)
	res, body = do(t, newRequest(t, "PUT", url+"/routes/r", `{"path":"/","function":"n/f"}`, "Content-Type", "text/plain"))
	if res.StatusCode != 400 || !strings.Contains(body, "the body was ignored") {
		t.Errorf("another media type: %d %s", res.StatusCode, body)
	}
}

// TestNoRouteMayHaveThePathOfAResource tries each resource there is, and paths beside and below it.
func TestNoRouteMayHaveThePathOfAResource(t *testing.T) {
	o := Options{Store: newFakeStore()}
	url := serve(t, o)
	for _, res := range newServer(o.withDefaults()).resources() {
		first, _, _ := strings.Cut(res.path[1:], "/")
		if first == "" {
			continue // "/" is served on the port of the API alone
		}
		for _, path := range []string{
			res.path, "/" + first, "/" + first + "/*", "/" + strings.ToUpper(first) + "/x", "/" + first + "/{a}/{b}/more",
		} {
			res, body := putRoute(t, url, "r", `{"path":"`+path+`","function":"n/f"}`)
			if res.StatusCode != 400 || !strings.Contains(body, "which the server keeps for itself: choose a first segment") {
				t.Errorf("%s: %d %s", path, res.StatusCode, body)
			}
		}
	}
	for _, path := range []string{"/", "/*", "/{a}/run", "/functions-of-mine", "/api/functions/n/f/run"} {
		if res, body := putRoute(t, url, "r", `{"path":"`+path+`","function":"n/f"}`); res.StatusCode != 200 {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
}

func TestAPatternIsTakenOnce(t *testing.T) {
	store := newFakeStore()
	store.Limits.Routes = 2
	url := serve(t, Options{Store: store})
	putRoute(t, url, "first", `{"path":"/{a}","function":"n/f"}`)
	res, body := putRoute(t, url, "second", `{"path":"/{b}","function":"n/f"}`)
	expect(t, res, body, 409,
		`{"error":"The route \"first\" matches the same requests: delete it first, or choose another host or path"}`)
	putRoute(t, url, "second", `{"path":"/b","function":"n/f"}`)
	res, body = putRoute(t, url, "third", `{"path":"/c","function":"n/f"}`)
	expect(t, res, body, 400, `{"error":"There are as many routes as a server takes: delete some first"}`)
}

// tableOf has such routes; its function's ID is the path.
func tableOf(t *testing.T, paths ...string) RouteTable {
	t.Helper()
	var all []function.Route
	for _, path := range paths {
		all = append(all, function.Route{Name: path, Path: path, Function: function.Ref{Namespace: "routed", ID: path}})
	}
	table := new(routes.Table)
	if err := table.Set(all); err != nil {
		t.Fatal(err)
	}
	return known{table}
}

type known struct{ *routes.Table }

func (known) Loaded() bool { return true }

// TestEveryResourceSaysWhereItIsServed lists each resource. One that is new must be put into the list: is it what the
// callers of functions may reach?
func TestEveryResourceSaysWhereItIsServed(t *testing.T) {
	onBoth := []string{
		"/functions/{namespace}/{id}/run", "/functions/{namespace}/{id}/run/*", "/functions/pipeline", "/livez", "/readyz",
		callsPath + "/{invocation}", callsPath + "/{invocation}/result", batchPath,
	}
	onAPI := []string{
		"/functions/{namespace}/{id}/env/{env}", "/functions/{namespace}/{id}/logs", "/functions/{namespace}/{id}/files/*",
		"/functions/{namespace}/{id}", callsPath, callsPath + "/{invocation}/redrive",
		callsPath + "/{invocation}/callback/redrive", "/functions/{namespace}/{id}/idempotency-key",
		"/functions/{namespace}/{id}/secrets/{secret}", "/functions/{namespace}/{id}/secrets",
		"/namespaces/{namespace}/secrets/{secret}", "/namespaces/{namespace}/secrets",
		"/namespaces/{namespace}/modules/{module}/files/*", "/namespaces/{namespace}/modules/{module}/functions",
		"/namespaces/{namespace}/modules/{module}", "/namespaces/{namespace}/modules",
		"/functions", "/namespaces", "/namespaces/{namespace}", "/namespaces/{namespace}/limits",
		"/namespaces/{namespace}/usage",
		"/namespaces/{namespace}/connections",
		"/namespaces/{namespace}/connections/{connection}",
		"/routes/{route}", "/routes", "/keys", "/keys/{key}", "/audit", "/healthcheck", "/status",
		"/status/isolation", "/_debug/http_stats", "/_schemas/*", "/",
	}
	served := map[string]map[string]bool{} // by path and port
	for _, path := range onBoth {
		served[path] = map[string]bool{"API": true, "run": true}
	}
	for _, path := range onAPI {
		served[path] = map[string]bool{"API": true}
	}
	for _, table := range []RouteTable{noRoutes{}, tableOf(t, "/*")} {
		v := answering(&sandbox.Result{Status: 299}, nil)
		o := Options{Store: newFakeStore(), Invoker: v, Routes: table}
		o.Auth, o.Keyring, o.AuditList = AuthLog, keyring{identity.NewKeyring(), true}, mem.New()
		o.Calls = newCalls(t, v)
		var resource string
		o.Routed = func(_ *http.Request, route string) { resource = route }
		handlers := New(o)
		for _, res := range newServer(o.withDefaults()).resources() {
			where, listed := served[res.path]
			if !listed {
				t.Errorf("%s is not listed in this test", res.path)
			}
			for port, handler := range map[string]http.Handler{"API": handlers.API, "run": handlers.Run} {
				for _, m := range res.methods {
					resource = ""
					name := strings.Replace(m.name, anyMethod, "PATCH", 1)
					path := strings.NewReplacer("{", "", "}", "", "*", "root").Replace(res.path)
					handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(name, path, nil))
					want := ""
					switch _, all := table.(known); {
					case where[port]:
						want = res.path
					case all:
						want = routed
					}
					if resource != want {
						t.Errorf("%s: %s %s is served as %q, want %q", port, name, path, resource, want)
					}
				}
			}
		}
	}
}

func TestARouteRunsItsFunction(t *testing.T) {
	o := Options{Store: newFakeStore(), Routes: tableOf(t, "/orders/{id}", "/functions/n/f/run")}
	o.Invoker = &fakeInvoker{run: func(call invoke.Call) (*sandbox.Result, error) {
		return &sandbox.Result{Status: 200, Body: fmt.Appendf(nil, "%q", call.Ref.ID+" "+call.URI)}, nil
	}}
	handlers := New(o)
	for _, row := range []struct {
		handler   http.Handler
		url, want string
		status    int
	}{
		{handlers.API, "/orders/7?a=1", `"/orders/{id} /orders/7?a=1"`, 200},
		{handlers.Run, "/orders/7?a=1", `"/orders/{id} /orders/7?a=1"`, 200},
		{handlers.API, "/functions/n/f/run", `"f /functions/n/f/run"`, 200},
		{handlers.Run, "/functions/n/f/run", `"f /functions/n/f/run"`, 200}, // the stored route is from elsewhere
		{handlers.Run, "/functions/n/g/run", `"g /functions/n/g/run"`, 200},
		{handlers.API, "/other", `{"error":"Cannot DELETE /other"}`, 404},
		{handlers.Run, "/other", `{"error":"Cannot DELETE /other"}`, 404},
		{handlers.Run, "/functions/n/f", `{"error":"Cannot DELETE /functions/n/f"}`, 404},
	} {
		rec := httptest.NewRecorder()
		row.handler.ServeHTTP(rec, httptest.NewRequest("DELETE", row.url, nil))
		if rec.Code != row.status || rec.Body.String() != row.want {
			t.Errorf("%s: %d %s, want %d %s", row.url, rec.Code, rec.Body, row.status, row.want)
		}
	}
}

type unknown struct{ noRoutes }

func (unknown) Loaded() bool { return false }

func TestAnUnknownPathIsNoAnswerBeforeRoutesAreKnown(t *testing.T) {
	url := serve(t, Options{Routes: unknown{}})
	res, body := do(t, newRequest(t, "GET", url+"/orders/7", ""))
	expect(t, res, body, 503, `{"error":"Storage is unavailable"}`)
	res, body = do(t, newRequest(t, "GET", url+"/", ""))
	expect(t, res, body, 200, `{"name":"Backstage functions"}`)
}
