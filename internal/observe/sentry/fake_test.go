package sentry

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// fakeSentry is the HTTP endpoint of Sentry.
type fakeSentry struct {
	*httptest.Server
	received chan delivery
	answer   func(w http.ResponseWriter)
}

// delivery is one envelope that came in.
type delivery struct {
	path, auth string
	header     map[string]any
	item       map[string]any
	event      map[string]any
}

func newFakeSentry(t *testing.T) *fakeSentry {
	f := &fakeSentry{received: make(chan delivery, 1000)}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		lines := bytes.SplitN(text, []byte("\n"), 3)
		d := delivery{path: r.Method + " " + r.URL.Path, auth: r.Header.Get("X-Sentry-Auth")}
		if err != nil || len(lines) != 3 || json.Unmarshal(lines[0], &d.header) != nil || json.Unmarshal(lines[1], &d.item) != nil ||
			json.Unmarshal(lines[2], &d.event) != nil || r.Header.Get("Content-Type") != "application/x-sentry-envelope" {
			t.Errorf("%s: not an envelope: %v %q", d.path, err, text)
		}
		if d.item["length"] != float64(len(bytes.TrimSuffix(lines[2], []byte("\n")))) {
			t.Errorf("item %v of %d bytes", d.item, len(lines[2]))
		}
		f.received <- d
		if f.answer != nil {
			f.answer(w)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

// dsn is the address of a project.
func (f *fakeSentry) dsn(key, project string) string {
	return strings.Replace(f.URL, "://", "://"+key+"@", 1) + "/" + project
}

// all returns what came in; the reporter is closed before.
func (f *fakeSentry) all() []delivery {
	var all []delivery
	for {
		select {
		case d := <-f.received:
			all = append(all, d)
		default:
			return all
		}
	}
}

func newReporter(t *testing.T, o Options) *Reporter {
	t.Helper()
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

const code = `function helper(x) {
  return x.a.b;
}

function main(req, res) {
  helper({});
}`

// failure is a run of shop/price that threw.
func failure(own, namespace string) *invoke.Failure {
	fn := &function.Function{Ref: function.Ref{Namespace: "shop", ID: "price"}, Code: code, Hash: function.HashOf(code)}
	if own != "" {
		fn.Env = function.NewEnv(function.Var{Name: "sentryDSN", Value: own})
	}
	if namespace != "" {
		fn.Settings = &function.Namespace{Name: "shop", SentryDSN: &namespace}
	}
	err := &sandbox.FunctionError{
		Status: 500, Message: "Cannot read property 'b' of undefined", Text: "TypeError: Cannot read property 'b' of undefined",
		Stack: "TypeError: Cannot read property 'b' of undefined at shop/price.js:7:7\n" +
			"    at helper (shop/price.js:2:14)\n    at Array.map (<anonymous>)\n" +
			"    at main (shop/price.js:6:3)\n    at shop/price.js:8:1",
		Frames: "at helper (shop/price.js:2)\nat main (shop/price.js:6)\nat shop/price.js:8",
	}
	return &invoke.Failure{
		Call:     invoke.Call{ID: "call-1", Ref: fn.Ref, Request: sandbox.Request{Body: json.RawMessage(`{"n":1}`)}},
		Function: fn, Err: err, Text: err.Text,
	}
}
