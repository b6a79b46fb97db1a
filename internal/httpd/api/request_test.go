package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// asking is an invoker of a function that has options; it puts its calls into got.
func asking(options function.Options, got *invoke.Call) *fakeInvoker {
	return &fakeInvoker{
		find: func(ref function.Ref) (invoke.Found, error) {
			return invoke.Found{Function: &function.Function{Ref: ref, Options: options}}, nil
		},
		run: func(call invoke.Call) (*sandbox.Result, error) {
			*got = call
			return &sandbox.Result{Status: 200, Body: json.RawMessage("1")}, nil
		},
		pipeline: func(_ []function.Ref, call invoke.Call) (*sandbox.Result, error) {
			*got = call
			return &sandbox.Result{Status: 200, Body: json.RawMessage("1")}, nil
		},
	}
}

func TestTheBodyIsReadAsItsFunctionAsks(t *testing.T) {
	const jsonType, textType = "application/json", "text/plain"
	for name, row := range map[string]struct {
		form, contentType, sent string
		status                  int
		body, raw               string // of the call; a raw of "-" stands for none
	}{
		"json":                 {"", jsonType, ` {"a":1.0}`, 200, `{"a":1.0}`, "-"},
		"json, other type":     {"json", textType, "a", 200, `{}`, "-"},
		"json, broken":         {"json", jsonType, "{", 400, "", "-"},
		"raw":                  {"raw", jsonType, ` {"a":1.0}`, 200, "", ` {"a":1.0}`},
		"raw, broken JSON":     {"raw", jsonType, "{", 200, "", "{"},
		"raw, no type":         {"raw", "", "\x00\xff", 200, "", "\x00\xff"},
		"raw, nothing":         {"raw", "", "", 200, "", ""},
		"raw, too large":       {"raw", textType, strings.Repeat("x", 101), 413, "", "-"},
		"raw, as large as may": {"raw", textType, strings.Repeat("x", 100), 200, "", strings.Repeat("x", 100)},
		"auto, JSON":           {"auto", jsonType, `[1]`, 200, `[1]`, "-"},
		"auto, a suffix":       {"auto", "application/cloudevents+json", `{}`, 200, `{}`, "-"},
		"auto, broken JSON":    {"auto", jsonType, `[`, 400, "", "-"},
		"auto, text":           {"auto", textType, "a", 200, "", "a"},
		"auto, nothing":        {"auto", "", "", 200, "{}", "-"},
		"auto, too large":      {"auto", textType, strings.Repeat("x", 101), 413, "", "-"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, request := range []string{"POST /functions/ns/f/run", "PUT /functions/pipeline?steps[]=ns/f"} {
				var got invoke.Call
				url := serve(t, Options{BodyLimit: 100, Invoker: asking(function.Options{Body: &row.form}, &got)})
				method, path, _ := strings.Cut(request, " ")
				req := newRequest(t, method, url+path, row.sent)
				if row.contentType != "" {
					req.Header.Set("Content-Type", row.contentType)
				}
				res, answer := do(t, req)
				raw := "-"
				if got.Request.HasRaw {
					raw = string(got.Request.Raw)
				}
				if res.StatusCode != row.status || string(got.Request.Body) != row.body || raw != row.raw {
					t.Errorf("%s: %d %s, body %q and bytes %q", request, res.StatusCode, answer, got.Request.Body, raw)
				}
			}
		})
	}
}

func TestBytesNeedMemoryForTheirFrame(t *testing.T) {
	var call invoke.Call
	raw := function.BodyRaw
	asked := 0
	handler := New(Options{
		Store: newFakeStore(), Invoker: asking(function.Options{Body: &raw}, &call),
		Grow: func(_ *http.Request, bytes int) bool {
			asked += bytes
			return asked <= 200_000
		},
	}).API
	for size, status := range map[int]int{4: 200, 80_000: 200, 180_000: 503} {
		asked = 0
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequest("POST", "/functions/ns/f/run", strings.NewReader(strings.Repeat("x", size))))
		if rec.Code != status {
			t.Errorf("%d bytes: %d %s after asking for %d", size, rec.Code, rec.Body, asked)
		}
		if size > smallBody && asked < size-smallBody+size/3*4 {
			t.Errorf("%d bytes: asked for %d", size, asked)
		}
	}
}

func TestAFunctionThatAsksLearnsMoreOfHTTP(t *testing.T) {
	raw, auto, web := function.BodyRaw, function.BodyAuto, function.GlobalsWeb
	trusted := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} // of httptest's requests
	for name, row := range map[string]struct {
		options function.Options
		url     string
		trusted []netip.Prefix
		want    string
	}{
		"nothing asked for": {function.Options{}, "/functions/ns/f/run?a=1", nil, ""},
		"body": {
			function.Options{Body: &raw},
			"/functions/ns/f/run?a=%20é", nil,
			`{"path":"/","url":"/functions/ns/f/run?a=%20é","ip":"192.0.2.1","host":"example.com","scheme":"http"}`,
		},
		"a body of any kind": {
			function.Options{Body: &auto},
			"/functions/ns/f/run", nil,
			`{"path":"/","url":"/functions/ns/f/run","ip":"192.0.2.1","host":"example.com","scheme":"http","body":"auto"}`,
		},
		"web globals": {
			function.Options{Globals: &web},
			"/functions/ns/f/run", trusted,
			`{"path":"/","url":"/functions/ns/f/run","ip":"10.0.0.7","host":"shop.example","port":"8443","scheme":"https"}`,
		},
		"a route": {
			function.Options{},
			"/orders/7/a%2Fb/c", nil,
			`{"path":"/a%2Fb/c","url":"/orders/7/a%2Fb/c","ip":"192.0.2.1","host":"example.com","scheme":"http","params":{"id":"7"}}`,
		},
		"a route without a rest": {
			function.Options{},
			"/about", nil,
			`{"path":"/","url":"/about","ip":"192.0.2.1","host":"example.com","scheme":"http"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got invoke.Call
			handler := New(Options{
				Store: newFakeStore(), Invoker: asking(row.options, &got), Routes: tableOf(t, "/orders/{id}/*", "/about"),
				TrustedProxies: row.trusted,
			}).API
			req := httptest.NewRequest("GET", "/", nil)
			req.RequestURI = row.url
			if err := setURL(req, row.url); err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Forwarded-For", "10.0.0.7")
			req.Header.Set("X-Forwarded-Host", "shop.example:8443")
			req.Header.Set("X-Forwarded-Proto", "https")
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, req)
			if text := string(got.Request.HTTP); rec.Code != 200 || text != row.want {
				t.Errorf("%d, learnt %s, want %s", rec.Code, text, row.want)
			}
		})
	}
}

func setURL(r *http.Request, url string) (err error) {
	r.URL, err = r.URL.Parse(url)
	return err
}

func TestHostsLoseTheirPort(t *testing.T) {
	for host, want := range map[string][2]string{
		"": {}, "a.example": {"a.example"}, "a.example:80": {"a.example", "80"}, "[::1]:80": {"[::1]", "80"},
		"[::1]": {"[::1]"}, "a:b:c": {"a:b:c"},
	} {
		if name, port := cutPort(host); name != want[0] || port != want[1] {
			t.Errorf("%q became %q and %q", host, name, port)
		}
	}
}

// A body that is refused is told whether or not there is a function, as in the original.
func TestABrokenBodyIsToldBeforeAMissingFunction(t *testing.T) {
	missing := &fakeInvoker{find: func(ref function.Ref) (invoke.Found, error) {
		return invoke.Found{}, &function.NotFoundError{Ref: ref}
	}}
	url := serve(t, Options{Invoker: missing})
	for sent, want := range map[string]string{"{": `400 {"error":"Unexpected end of JSON input"}`, "{}": `404 {"error":"Code 'ns/f' is not found"}`} {
		res, body := do(t, newRequest(t, "PUT", url+"/functions/ns/f/run", sent, "Content-Type", "application/json"))
		if got := fmt.Sprintf("%d %s", res.StatusCode, body); got != want {
			t.Errorf("%s: %s, want %s", sent, got, want)
		}
	}
}
