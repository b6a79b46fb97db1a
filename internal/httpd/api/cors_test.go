package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

const app = "https://app.example.org"

// corsHeadersOf are those headers of an answer that the CORS protocol is about, and Vary, sorted.
func corsHeadersOf(h http.Header) string {
	var found []string
	for name, values := range h {
		if name == "Vary" || strings.HasPrefix(name, corsPrefix) {
			found = append(found, strings.TrimPrefix(name, corsPrefix)+"="+strings.Join(values, ","))
		}
	}
	slices.Sort(found)
	return strings.Join(found, " ")
}

// withCORS is an invoker of a function with that option; run may be nil.
func withCORS(c *function.CORS, run func(invoke.Call) (*sandbox.Result, error)) *fakeInvoker {
	v := asking(function.Options{CORS: c}, new(invoke.Call))
	if run != nil {
		v.run = run
	}
	return v
}

func TestPagesOfListedOriginsMayReadAnswers(t *testing.T) {
	listed := &function.CORS{
		Origins: []string{app, "https://b.example"}, Expose: []string{"X-A", "X-B"}, Credentials: true,
	}
	anyone := &function.CORS{Origins: []string{"*"}}
	frames := &function.CORS{Origins: []string{"null"}}
	for _, row := range []struct {
		name   string
		cors   *function.CORS
		origin string
		want   string
	}{
		{"listed", listed, app, "Allow-Credentials=true Allow-Origin=" + app + " Expose-Headers=X-A, X-B Vary=Origin"},
		{"another", listed, "https://b.example.evil", "Vary=Origin"},
		{"null", listed, "null", "Vary=Origin"},
		{"no browser", listed, "", "Vary=Origin"},
		{"any", anyone, app, "Allow-Origin=*"},
		{"any, null", anyone, "null", "Allow-Origin=*"},
		{"any, no browser", anyone, "", ""},
		{"null listed", frames, "null", "Allow-Origin=null Vary=Origin"},
		{"null alone listed", frames, app, "Vary=Origin"},
		{"taken back", &function.CORS{}, app, ""},
		{"none", nil, app, ""},
	} {
		url := serve(t, Options{Invoker: withCORS(row.cors, nil)})
		header := []string{"Origin", row.origin}
		if row.origin == "" {
			header = nil
		}
		res, text := do(t, newRequest(t, "GET", url+"/functions/n/f/run", "", header...))
		if got := corsHeadersOf(res.Header); res.StatusCode != 200 || got != row.want {
			t.Errorf("%s: %d %s with %s, want %s", row.name, res.StatusCode, text, got, row.want)
		}
	}
}

func TestPagesMayReadEveryAnswer(t *testing.T) {
	const want = "Allow-Credentials=true Allow-Origin=" + app + " Vary=Origin"
	c := &function.CORS{Origins: []string{app}, Credentials: true}
	fails := func(err error) func(invoke.Call) (*sandbox.Result, error) {
		return func(invoke.Call) (*sandbox.Result, error) { return nil, err }
	}
	answers := func(result sandbox.Result) func(invoke.Call) (*sandbox.Result, error) {
		return func(invoke.Call) (*sandbox.Result, error) { return &result, nil }
	}
	large := `"` + strings.Repeat("x", 2000) + `"`
	for name, row := range map[string]struct {
		run    func(invoke.Call) (*sandbox.Result, error)
		change func(*Options)
		sent   string
		status int
	}{
		"answer":         {sent: "{}", status: 200},
		"thrown 400":     {run: fails(&sandbox.FunctionError{Status: 400, HasStatus: true, Message: "no"}), status: 400},
		"broken body":    {sent: "{", status: 400},
		"deadline":       {run: fails(&sandbox.DeathError{Reason: sandbox.ReasonDeadline}), status: 408},
		"large body":     {sent: large, change: func(o *Options) { o.BodyLimit = 1000 }, status: 413},
		"too many calls": {run: fails(&invoke.LimitError{}), status: 429},
		"own fault":      {run: fails(&sandbox.FunctionError{Message: "no"}), status: 500},
		"unsendable":     {run: answers(sandbox.Result{Status: 1}), status: 500},
		"panic":          {run: func(invoke.Call) (*sandbox.Result, error) { panic("no") }, status: 500},
		"no memory":      {run: fails(body.ErrNoRoom), status: 503},
		"full queue":     {run: fails(sandbox.ErrBusy), status: 503},
		"not modified":   {run: answers(sandbox.Result{Status: 304}), status: 304},
		"nothing":        {run: answers(sandbox.Result{Status: 204}), status: 204},
		"bytes":          {run: answers(sandbox.Result{Status: 200, Bytes: []byte("a,b")}), status: 200},
		"stream": {run: func(call invoke.Call) (*sandbox.Result, error) {
			w, err := call.OnHead(sandbox.StreamHead{Status: 201, Header: fields("Access-Control-Allow-Origin", "*")})
			if err == nil {
				_, err = w.Write([]byte("data: 1\n\n"))
			}
			return &sandbox.Result{Streamed: true}, err
		}, status: 201},
		"what it says itself": {run: answers(sandbox.Result{Status: 200, Body: json.RawMessage("1"), Header: fields(
			"access-control-allow-origin", "*", "Access-Control-Max-Age", "5", "Access-Control-Anything", "x",
			"Vary", "origin",
		)}), status: 200},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Invoker: withCORS(c, row.run)}
			if row.change != nil {
				row.change(&o)
			}
			res, text := do(t, newRequest(t, "POST", serve(t, o)+"/functions/n/f/run", row.sent,
				"Content-Type", jsonType, "Origin", app))
			if got := corsHeadersOf(res.Header); res.StatusCode != row.status || !strings.EqualFold(got, want) {
				t.Errorf("%d %s with %s, want %d with %s", res.StatusCode, text, got, row.status, want)
			}
		})
	}
}

func TestAPreflightRunsNothing(t *testing.T) {
	some := &function.CORS{Origins: []string{app}}
	all := &function.CORS{
		Origins: []string{app}, Methods: []string{"PURGE"}, Headers: []string{"X-A", "Authorization"},
		Expose: []string{"X-B"}, Credentials: true, MaxAge: 10 * time.Minute,
	}
	const vary = " Vary=Access-Control-Request-Method,Access-Control-Request-Headers"
	const methods = "Allow-Methods=GET, HEAD, POST, PUT, PATCH, DELETE "
	const refused = `{"error":"Pages of https://b.example may not call this function: ` +
		`it is not among the origins of its option cors"}`
	for _, row := range []struct {
		name           string
		cors           *function.CORS
		origin, method string
		status         int
		headers, body  string
	}{
		{"defaults", some, app, "PUT", 204, methods + "Allow-Origin=" + app + vary + ",Origin", ""},
		{
			"all", all, app, "PUT", 204, "Allow-Credentials=true Allow-Headers=X-A, Authorization Allow-Methods=PURGE " +
				"Allow-Origin=" + app + " Max-Age=600" + vary + ",Origin", "",
		},
		{"anyone", &function.CORS{Origins: []string{"*"}}, app, "PUT", 204, methods + "Allow-Origin=*" + vary, ""},
		{"another origin", all, "https://b.example", "PUT", 403, strings.TrimSpace(vary) + ",Origin", refused},
		{
			"no origin", all, "\xff", "PUT", 403, strings.TrimSpace(vary) + ",Origin",
			strings.Replace(refused, "https://b.example", "this origin", 1),
		},
		{"OPTIONS from a page", some, app, "", 200, "Allow-Origin=" + app + " Vary=Origin", "1"},
		{"OPTIONS from a program", some, "", "PUT", 200, "Vary=Origin", "1"},
		{"a function without", nil, app, "PUT", 200, "", "1"},
	} {
		ran := false
		v := withCORS(row.cors, func(invoke.Call) (*sandbox.Result, error) {
			ran = true
			return &sandbox.Result{Status: 200, Body: json.RawMessage("1")}, nil
		})
		req := httptest.NewRequest("OPTIONS", "/functions/n/f/run", nil)
		for name, value := range map[string]string{"Origin": row.origin, corsAsksMethod: row.method} {
			if value != "" {
				req.Header.Set(name, value)
			}
		}
		rec := httptest.NewRecorder()
		New(Options{Store: newFakeStore(), Invoker: v}).API.ServeHTTP(rec, req)
		got := fmt.Sprint(rec.Code, " ", rec.Body, " with ", corsHeadersOf(rec.Header()))
		if want := fmt.Sprint(row.status, " ", row.body, " with ", row.headers); got != want {
			t.Errorf("%s: %s, want %s", row.name, got, want)
		}
		if ran != (row.status == 200) {
			t.Errorf("%s: the function ran: %t", row.name, ran)
		}
	}
}

func TestPagesMayCallARoute(t *testing.T) {
	v := withCORS(&function.CORS{Origins: []string{app}}, nil)
	for _, handler := range []http.Handler{
		New(Options{Store: newFakeStore(), Invoker: v, Routes: tableOf(t, "/orders/{id}")}).API,
		New(Options{Store: newFakeStore(), Invoker: v, Routes: tableOf(t, "/orders/{id}")}).Run,
	} {
		for method, status := range map[string]int{"OPTIONS": 204, "DELETE": 200} {
			req := httptest.NewRequest(method, "/orders/7", nil)
			req.Header.Set("Origin", app)
			req.Header.Set(corsAsksMethod, "DELETE")
			rec := httptest.NewRecorder()
			if handler.ServeHTTP(rec, req); rec.Code != status || rec.Header().Get(corsOrigin) != app {
				t.Errorf("%s: %d with %v", method, rec.Code, rec.Header())
			}
		}
	}
}
