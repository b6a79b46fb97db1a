package api

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/internal/usage"
	"github.com/backstage/functions/sandbox"
)

// table is a Disabled that is known, or not yet.
type table struct {
	*limits.Table
	unknown bool
}

func (t table) Loaded() bool { return !t.unknown }

func disabling(names ...string) table {
	t := table{Table: limits.NewTable("")}
	var all []usage.Namespace
	for _, name := range names {
		all = append(all, usage.Namespace{Name: name, Disabled: true})
	}
	t.Set(all)
	return t
}

func TestLimitsOfANamespaceAreSetShownAndLifted(t *testing.T) {
	url := serve(t, Options{Store: newFakeStore()})
	at := func(method, body string) (*http.Response, string) {
		return do(t, newRequest(t, method, url+"/namespaces/a%2Fb/limits", body, "Content-Type", jsonType))
	}
	want := func(method, body string, status int, answer string) {
		t.Helper()
		response, text := at(method, body)
		expect(t, response, text, status, answer)
	}
	const all = `{"disabled":true,"rate":"600/m","quotas":{"calls":1000000,"cpu":"1h30m","egress":"10gb"}}`
	want("GET", "", 200, `{}`)
	want("PUT", `{"quotas":{"egress":"10240MB","cpu":"90m","calls":1000000},"rate":" 600 / M ","disabled":true}`, 200, all)
	want("GET", "", 200, all)
	want("PUT", `{"rate":""}`, 200, `{}`)
	want("PUT", `{"disabled":false,"quotas":{}}`, 200, `{}`)
	want("PUT", `{"rate":"1/h"}`, 200, `{"rate":"1/h"}`)
	want("DELETE", "", 204, "")
	want("DELETE", "", 204, "")
	want("GET", "", 200, `{}`)
}

func TestLimitsThatAreNotClearAreRefused(t *testing.T) {
	store := newFakeStore()
	store.Limits.Namespaces = 1
	url := serve(t, Options{Store: store})
	for body, want := range map[string]string{
		`[]`:                          `instance is not of a type(s) object`,
		`{"disabled":1}`:              `instance.disabled is not of a type(s) boolean`,
		`{"disabled":null}`:           `instance.disabled is not of a type(s) boolean`,
		`{"rate":100}`:                `instance.rate is not a number of calls per second, minute or hour`,
		`{"rate":"100"}`:              `such as \"100/s\"`,
		`{"rate":"0/s"}`:              `instance.rate is not`,
		`{"rate":"-1/s"}`:             `instance.rate is not`,
		`{"rate":"1.5/s"}`:            `instance.rate is not`,
		`{"rate":"1/d"}`:              `instance.rate is not`,
		`{"rate":"1000000001/s"}`:     `instance.rate is not`,
		`{"quotas":[]}`:               `instance.quotas is not of a type(s) object`,
		`{"quotas":null}`:             `instance.quotas is not of a type(s) object`,
		`{"quotas":{"calls":"1"}}`:    `instance.quotas.calls is not a whole number`,
		`{"quotas":{"calls":-1}}`:     `instance.quotas.calls is not a whole number`,
		`{"quotas":{"calls":1e3}}`:    `instance.quotas.calls is not a whole number`,
		`{"quotas":{"cpu":10}}`:       `instance.quotas.cpu is not a duration`,
		`{"quotas":{"cpu":"0s"}}`:     `instance.quotas.cpu is not a duration`,
		`{"quotas":{"cpu":"-1h"}}`:    `instance.quotas.cpu is not a duration`,
		`{"quotas":{"egress":1}}`:     `instance.quotas.egress is not a number of bytes`,
		`{"quotas":{"egress":"0mb"}}`: `instance.quotas.egress is not a number of bytes`,
		`{"quotas":{"egres":"1mb"}}`:  `instance.quotas.egres is not known`,
		`{"quotas":{"x":"1mb"}}`:      `there are calls, cpu, egress`,
		`{"burst":1}`:                 `additionalProperty \"burst\"`,
	} {
		response, text := do(t, newRequest(t, "PUT", url+"/namespaces/a/limits", body, "Content-Type", jsonType))
		if response.StatusCode != 400 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s, want %s", body, response.StatusCode, text, want)
		}
	}
	put := func(name string) (*http.Response, string) {
		return do(t, newRequest(t, "PUT", url+"/namespaces/"+name+"/limits", "{}", "Content-Type", jsonType))
	}
	put("a")
	response, text := put("b")
	expect(t, response, text, 400, `{"error":"There are limits of as many namespaces as a server takes: delete some first"}`)
}

// Who owns a namespace sees its limits and lifts none.
func TestOnlyWhoOperatesAllNamespacesSetsLimits(t *testing.T) {
	g := guard(t, Options{Auth: AuthOn, Store: newFakeStore()})
	owner, operator := g.key(identity.Admin, "a"), g.key(identity.Admin, "*")
	for _, row := range []struct {
		method, token string
		want          int
	}{{"GET", owner, 200}, {"PUT", owner, 403}, {"DELETE", owner, 403}, {"DELETE", operator, 204}} {
		if response, body := g.ask(t, row.method, "/namespaces/a/limits", row.token); response.StatusCode != row.want {
			t.Errorf("%s: %d %s, want %d", row.method, response.StatusCode, body, row.want)
		}
	}
}

func TestNamespacesAreListedPageByPage(t *testing.T) {
	store := newFakeStore()
	o := Options{Auth: AuthOn, Store: store, Disabled: disabling("b"), Tokens: &tokens{held: map[string]*identity.Bearer{
		"mine.b": bearer(identity.Invoke, "b*"),
	}}}
	g := guard(t, o)
	for _, name := range []string{"a", "b", "b-1", "c/d"} {
		if err := store.PutNamespaceLimits(t.Context(), usage.Namespace{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	all, some := g.key(identity.Invoke, "*"), g.key(identity.Invoke, "b*")
	for _, row := range []struct{ token, query, want string }{
		{all, "", `{"items":[{"namespace":"a"},{"namespace":"b-1"},{"namespace":"b","disabled":true},{"namespace":"c/d"}]}`},
		{all, "?limit=3", `{"items":[{"namespace":"a"},{"namespace":"b-1"},{"namespace":"b","disabled":true}],"next":"Yg"}`},
		{all, "?limit=3&cursor=Yg", `{"items":[{"namespace":"c/d"}]}`},
		{all, "?cursor=YWE", `{"items":[{"namespace":"b-1"},{"namespace":"b","disabled":true},{"namespace":"c/d"}]}`},
		{some, "", `{"items":[{"namespace":"b-1"},{"namespace":"b","disabled":true}]}`},
		{some, "?limit=1", `{"items":[{"namespace":"b-1"}],"next":"Yi0x"}`},
		{some, "?limit=2", `{"items":[{"namespace":"b-1"},{"namespace":"b","disabled":true}]}`},
		{g.key(identity.Admin, "x"), "", `{"items":[]}`},
		{"mine.b", "", `{"items":[{"namespace":"b-1"},{"namespace":"b","disabled":true}]}`},
	} {
		response, body := g.ask(t, "GET", "/namespaces"+row.query, row.token)
		expect(t, response, body, 200, row.want)
	}
	for _, query := range []string{"limit=0", "limit=x", "limit=1001", "cursor=!"} {
		if response, body := g.ask(t, "GET", "/namespaces?"+query, all); response.StatusCode != 400 {
			t.Errorf("%s: %d %s", query, response.StatusCode, body)
		}
	}
}

// Every entrance, with a body that is read by what would serve it.
var entrances = []string{
	"PUT /functions/a/%s/run", "OPTIONS /functions/a/%s/run", "GET /functions/a/%s/run/below", "PUT /functions/pipeline?steps[]=a/%s",
	"PUT /functions/pipeline?steps[]=b/f&steps[]=a/%s", "PUT /functions/a/%s", "POST /functions/a/%s", "PUT /FUNCTIONS/%%61/%s/run",
	"PUT /namespaces/a/modules/%s",
}

func TestNothingOfADisabledNamespaceRuns(t *testing.T) {
	var asked atomic.Int64
	invoker := &fakeInvoker{
		find: func(function.Ref) (invoke.Found, error) { asked.Add(1); return invoke.Found{}, nil },
		run: func(invoke.Call) (*sandbox.Result, error) {
			asked.Add(1)
			return &sandbox.Result{Status: 200}, nil
		},
		check: func(function.Ref, string) error { asked.Add(1); return nil },
	}
	for name, auth := range map[string]Auth{"off": AuthOff, "on": AuthOn} {
		t.Run(name, func(t *testing.T) {
			g := guard(t, Options{Auth: auth, Store: newFakeStore(), Invoker: invoker, Disabled: disabling("a"), Logs: &fakeLogs{}})
			token := g.key(identity.Admin, "*")
			for _, entrance := range entrances {
				method, path, _ := strings.Cut(entrance, " ")
				for _, id := range []string{"f", "missing"} {
					response, body := g.ask(t, method, fmt.Sprintf(path, id), token)
					expect(t, response, body, 403, `{"error":"The namespace a is disabled","reason":"namespace_disabled"}`)
				}
			}
			response, body := g.ask(t, "GET", "/functions/a/f/logs?follow=1", token)
			expect(t, response, body, 403, `{"error":"The namespace a is disabled","reason":"namespace_disabled"}`)
			if asked.Load() != 0 {
				t.Errorf("the invoker was asked %d times", asked.Load())
			}
			if auth == AuthOn {
				if response, body := g.ask(t, "PUT", "/functions/a/f/run", ""); response.StatusCode != 401 {
					t.Errorf("without a key: %d %s", response.StatusCode, body)
				}
			}
			for _, served := range []string{"GET /functions/a/f", "GET /namespaces/a", "DELETE /functions/a/f", "GET /functions/a/f/logs"} {
				method, path, _ := strings.Cut(served, " ")
				if response, body := g.ask(t, method, path, token); response.StatusCode == 403 {
					t.Errorf("%s: %s", served, body)
				}
			}
		})
	}
}

func TestARouteDoesNotSayWhichNamespaceIsDisabled(t *testing.T) {
	url := serve(t, Options{Routes: tableOf(t, "/x"), Disabled: disabling("routed")})
	response, body := do(t, newRequest(t, "GET", url+"/x", ""))
	expect(t, response, body, 403, `{"error":"The namespace of the function is disabled","reason":"namespace_disabled"}`)
}

// Nothing runs as long as nobody knows what is disabled.
func TestNothingRunsBeforeLimitsAreKnown(t *testing.T) {
	unknown := disabling()
	unknown.unknown = true
	url := serve(t, Options{Disabled: unknown})
	response, body := do(t, newRequest(t, "PUT", url+"/functions/a/f/run", "{}"))
	expect(t, response, body, 503, `{"error":"Storage is unavailable"}`)
}

func TestFollowersEndWithTheirNamespace(t *testing.T) {
	disabled := disabling("other")
	logs := &fakeLogs{}
	url := serve(t, Options{Disabled: disabled, Logs: logs})
	ended := startFollowing(t, url+"/functions/ns/id/logs?follow=1")
	ended.want(t, nothingNew)
	disabled.Set([]usage.Namespace{{Name: "ns", Disabled: true}})
	ended.want(t, "event: failure\ndata: {\"error\":\"The namespace is disabled\"}\n\n")
	ended.want(t, "") // the end
}
