package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/sandbox"
)

// rights says who is served: those with the role, in the namespace a of the request, or, if it is wide, in all.
type rights struct {
	role identity.Role
	wide bool
	// any says that the namespace of the key does not count.
	any bool
}

var (
	ofAnybody = rights{any: true}
	ofInvoke  = rights{role: identity.Invoke}
	ofDeploy  = rights{role: identity.Deploy}
	ofAdmin   = rights{role: identity.Admin}
)

// matrix has a row for each method of each resource. One that is new does not pass until its row says whom it serves.
var matrix = map[string]rights{
	"* /functions/{namespace}/{id}/run":                       ofInvoke,
	"* /functions/{namespace}/{id}/run/*":                     ofInvoke,
	"PUT /functions/{namespace}/{id}/env/{env}":               ofDeploy,
	"DELETE /functions/{namespace}/{id}/env/{env}":            ofDeploy,
	"GET /functions/{namespace}/{id}/logs":                    ofDeploy,
	"GET /functions/{namespace}/{id}/files/*":                 ofDeploy,
	"POST /functions/{namespace}/{id}/batch":                  ofInvoke,
	"PUT /functions/pipeline":                                 ofInvoke,
	"PUT /functions/{namespace}/{id}":                         ofDeploy,
	"GET /functions/{namespace}/{id}":                         ofDeploy,
	"DELETE /functions/{namespace}/{id}":                      ofDeploy,
	"POST /functions/{namespace}/{id}":                        ofDeploy,
	"GET /functions":                                          {role: identity.Deploy, wide: true},
	"PUT /namespaces/{namespace}":                             ofAdmin,
	"GET /namespaces/{namespace}":                             ofDeploy,
	"DELETE /namespaces/{namespace}":                          ofAdmin,
	"GET /namespaces":                                         {role: identity.Invoke, any: true},
	"PUT /namespaces/{namespace}/limits":                      {role: identity.Admin, wide: true},
	"GET /namespaces/{namespace}/usage":                       ofDeploy,
	"GET /namespaces/{namespace}/limits":                      ofDeploy,
	"DELETE /namespaces/{namespace}/limits":                   {role: identity.Admin, wide: true},
	"PUT /routes/{route}":                                     {role: identity.Admin, wide: true},
	"GET /routes/{route}":                                     {role: identity.Admin, wide: true},
	"DELETE /routes/{route}":                                  {role: identity.Admin, wide: true},
	"GET /routes":                                             {role: identity.Admin, wide: true},
	"POST /keys":                                              {role: identity.Admin, any: true},
	"GET /keys":                                               {role: identity.Admin, any: true},
	"GET /keys/{key}":                                         {role: identity.Admin, any: true},
	"DELETE /keys/{key}":                                      {role: identity.Admin, any: true},
	"GET /audit":                                              {role: identity.Admin, any: true},
	"GET /healthcheck":                                        ofAnybody,
	"GET /livez":                                              ofAnybody,
	"GET /readyz":                                             ofAnybody,
	"GET /status":                                             {role: identity.Invoke, any: true},
	"GET /status/isolation":                                   {role: identity.Invoke, any: true},
	"GET /_debug/http_stats":                                  {role: identity.Admin, wide: true},
	"GET /_schemas/*":                                         ofAnybody,
	"GET /":                                                   ofAnybody,
	"POST /namespaces/{namespace}/connections/{connection}":   ofInvoke,
	"GET /namespaces/{namespace}/connections/{connection}":    ofInvoke,
	"DELETE /namespaces/{namespace}/connections/{connection}": ofInvoke,
	"POST /namespaces/{namespace}/connections":                ofDeploy,
	"GET /namespaces/{namespace}/modules":                     ofDeploy,
	"PUT /functions/{namespace}/{id}/secrets/{secret}":        ofDeploy,
	"DELETE /functions/{namespace}/{id}/secrets/{secret}":     ofDeploy,
	"GET /functions/{namespace}/{id}/secrets":                 ofDeploy,
	"PUT /namespaces/{namespace}/secrets/{secret}":            ofDeploy,
	"DELETE /namespaces/{namespace}/secrets/{secret}":         ofDeploy,
	"GET /namespaces/{namespace}/secrets":                     ofDeploy,
	"PUT /namespaces/{namespace}/modules/{module}":            ofDeploy,
	"GET /namespaces/{namespace}/modules/{module}":            ofDeploy,
	"DELETE /namespaces/{namespace}/modules/{module}":         ofDeploy,
	"GET /namespaces/{namespace}/modules/{module}/files/*":    ofDeploy,
	"GET /namespaces/{namespace}/modules/{module}/functions":  ofDeploy,

	"GET /functions/{namespace}/{id}/invocations":                       ofDeploy,
	"DELETE /functions/{namespace}/{id}/idempotency-key":                ofDeploy,
	"GET /functions/{namespace}/{id}/invocations/{invocation}":          ofInvoke,
	"DELETE /functions/{namespace}/{id}/invocations/{invocation}":       ofInvoke,
	"GET /functions/{namespace}/{id}/invocations/{invocation}/result":   ofInvoke,
	"POST /functions/{namespace}/{id}/invocations/{invocation}/redrive": ofDeploy,

	"POST /functions/{namespace}/{id}/invocations/{invocation}/callback/redrive": ofDeploy,
}

// serves says whether r are the rights of a key with that role in those namespaces, about the namespace a.
func (r rights) serves(role identity.Role, namespaces identity.Pattern) bool {
	switch {
	case r.role == "":
		return true
	case !role.Includes(r.role):
		return false
	}
	return r.any || namespaces == "*" || namespaces == "a" && !r.wide
}

// guarded is a server with keys.
type guarded struct {
	url  string
	ring *identity.Keyring
	keys []identity.Key
	log  *strings.Builder
}

func guard(t *testing.T, o Options) *guarded {
	t.Helper()
	g := &guarded{ring: identity.NewKeyring(), log: new(strings.Builder)}
	if o.Calls == nil {
		o.Calls = newCalls(t, &fakeInvoker{})
	}
	o.Keyring, o.Logger = keyring{g.ring, true}, slog.New(slog.NewTextHandler(g.log, nil))
	g.url = serve(t, o)
	return g
}

// keyring has keys that are known, or not yet.
type keyring struct {
	*identity.Keyring
	loaded bool
}

func (k keyring) Loaded() bool { return k.loaded }

// key is the token of a new key.
func (g *guarded) key(role identity.Role, namespaces ...identity.Pattern) string {
	key, token := identity.New(identity.Key{Role: role, Namespaces: namespaces})
	g.keys = append(g.keys, key)
	g.ring.Set(g.keys)
	return token
}

// ask sends a request with a key, or without one if that is empty.
func (g *guarded) ask(t *testing.T, method, path, token string, header ...string) (*http.Response, string) {
	t.Helper()
	if token != "" {
		header = append(header, "Authorization", "Bearer "+token)
	}
	return do(t, newRequest(t, method, g.url+path, "", header...))
}

func TestEveryResourceServesThoseWhoMay(t *testing.T) {
	g := guard(t, Options{Auth: AuthOn, AuditList: mem.New()})
	type subject struct {
		name       string
		token      string
		role       identity.Role
		namespaces identity.Pattern
	}
	subjects := []subject{{name: "nobody"}}
	for _, role := range identity.Roles {
		for _, in := range []identity.Pattern{"a", "b", "*"} {
			subjects = append(subjects, subject{string(role) + " in " + string(in), g.key(role, in), role, in})
		}
	}
	served := 0
	for _, res := range newServer(Options{}.withDefaults()).resources() {
		for _, m := range res.methods {
			row, ok := matrix[m.name+" "+res.path]
			if !ok {
				t.Errorf("%s %s is not in the matrix: whom does it serve?", m.name, res.path)
				continue
			}
			served++
			path := strings.NewReplacer("{namespace}", "a", "{id}", "f", "{env}", "E", "{route}", "r", "{key}", "K",
				"{connection}", "C", "{invocation}", "I", "{secret}", "S", "*", "x").Replace(res.path)
			if res.path == "/functions/pipeline" {
				path += "?steps[0]=a/f&steps[1]=a/g"
			}
			method := strings.Replace(m.name, anyMethod, "PATCH", 1)
			for _, by := range subjects {
				response, body := g.ask(t, method, path, by.token)
				want := row.serves(by.role, by.namespaces)
				got := response.StatusCode != http.StatusUnauthorized && response.StatusCode != http.StatusForbidden
				if got != want {
					t.Errorf("%s %s by %s: %d %s, want served: %t", method, path, by.name, response.StatusCode, body, want)
				}
				if by.token == "" && !want && response.StatusCode != http.StatusUnauthorized {
					t.Errorf("%s %s by nobody: %d", method, path, response.StatusCode)
				}
			}
		}
	}
	if served != len(matrix) {
		t.Errorf("%d rows of the matrix are of no resource", len(matrix)-served)
	}
}

func TestARefusalTellsNothingOfWhatIsStored(t *testing.T) {
	var asked atomic.Int64
	found := func(function.Ref) (invoke.Found, error) {
		asked.Add(1)
		return invoke.Found{}, nil
	}
	store := newFakeStore()
	g := guard(t, Options{Auth: AuthOn, Store: store, Invoker: &fakeInvoker{find: found}})
	f := &function.Function{Ref: function.Ref{Namespace: "a", ID: "f"}, Code: "1"}
	if _, err := store.Put(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	store.err = errors.New("asked") // which would be answered 500
	for _, token := range []string{"", g.key(identity.Invoke, "b"), "fn_forged"} {
		for _, request := range []string{
			"GET /functions/a/%s", "PUT /functions/a/%s", "DELETE /functions/a/%s", "PUT /functions/a/%s/env/E",
			"PUT /functions/a/%s/run", "PUT /functions/a/%s/run/x", "PUT /functions/pipeline?steps[]=a/%s",
			"GET /functions/a/%s/logs?follow=true", "OPTIONS /functions/a/%s/run",
		} {
			method, path, _ := strings.Cut(request, " ")
			var answers []string
			for _, id := range []string{"f", "missing"} {
				response, body := g.ask(t, method, fmt.Sprintf(path, id), token)
				response.Header.Del("Date")
				response.Header.Del("X-Request-Id")
				answers = append(answers, fmt.Sprint(response.StatusCode, response.Header, body))
				if response.StatusCode != 401 && response.StatusCode != 403 {
					t.Errorf("%s %s: %d %s", method, path, response.StatusCode, body)
				}
			}
			if answers[0] != answers[1] {
				t.Errorf("%s: a function that is there is answered %s, one that is not %s", request, answers[0], answers[1])
			}
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("%d functions were looked for", n)
	}
}

func TestAPreflightNeedsNoKey(t *testing.T) {
	ran := false
	invoker := withCORS(&function.CORS{Origins: []string{app}}, func(invoke.Call) (*sandbox.Result, error) {
		ran = true
		return &sandbox.Result{Status: 200, Body: []byte("1")}, nil
	})
	shared := invoker.find
	invoker.find = func(ref function.Ref) (invoke.Found, error) {
		if ref.ID != "shared" {
			return invoke.Found{}, nil
		}
		return shared(ref)
	}
	g := guard(t, Options{Auth: AuthOn, Invoker: invoker})
	preflight := []string{"Origin", app, "Access-Control-Request-Method", "PUT"}
	for path, want := range map[string]int{
		"/functions/a/shared/run": 204, "/functions/a/shared/run/x": 401, "/functions/a/f/run": 401,
		"/functions/a/f/run/x": 401,
		"/functions/a/shared":  200, "/status": 200, // which say what methods there are
	} {
		response, body := g.ask(t, "OPTIONS", path, "", preflight...)
		if response.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", path, response.StatusCode, body, want)
		}
	}
	if ran {
		t.Error("a function ran for somebody without a key")
	}
}

func TestAKeyIsReadStrictly(t *testing.T) {
	g := guard(t, Options{Auth: AuthOn})
	token := g.key(identity.Admin, "*")
	_, other := identity.New(identity.Key{})
	for _, row := range []struct {
		name   string
		values []string
		want   int
		unread bool
	}{
		{"none", nil, 401, false},
		{"as it is", []string{"Bearer " + token}, 200, false},
		{"another case of the scheme", []string{"bEARER " + token}, 200, false},
		{"more spaces", []string{"Bearer   " + token}, 200, false},
		{"no scheme", []string{token}, 401, true},
		{"another scheme", []string{"Basic " + token}, 401, true},
		{"no space", []string{"Bearer" + token}, 401, false},
		{"another case", []string{"Bearer " + strings.ToLower(token)}, 401, false},
		{"cut", []string{"Bearer " + token[:len(token)-1]}, 401, false},
		{"longer", []string{"Bearer " + token + "A"}, 401, false},
		{"two in one", []string{"Bearer " + token + "," + token}, 401, false},
		{"of another server", []string{"Bearer " + other}, 401, false},
		{"twice", []string{"Bearer " + token, "Bearer " + token}, 401, false},
		{"behind another's", []string{"Basic x", "Bearer " + token}, 401, false},
		{"before another's", []string{"Bearer " + token, "Bearer " + other}, 401, false},
	} {
		var header []string
		for _, value := range row.values {
			header = append(header, "Authorization", value)
		}
		response, body := g.ask(t, "GET", "/functions", "", header...)
		if response.StatusCode != row.want {
			t.Errorf("%s: %d %s, want %d", row.name, response.StatusCode, body, row.want)
		}
		if wrong := strings.Contains(body, "send it in the header Authorization: Bearer fn_…"); wrong != row.unread {
			t.Errorf("%s: %s", row.name, body)
		}
		if challenge := response.Header.Get("WWW-Authenticate"); (challenge != "") != (row.want == 401) {
			t.Errorf("%s: the challenge is %q", row.name, challenge)
		}
	}
	response, _ := g.ask(t, "GET", "/functions", "", "Functions-Key", token, "Cookie", "key="+token)
	if response.StatusCode != 401 {
		t.Errorf("a key in another place than the header: %d", response.StatusCode)
	}
}

func TestAServerThatDoesNotKnowItsKeysYetSaysSo(t *testing.T) {
	_, token := identity.New(identity.Key{})
	for loaded, want := range map[bool]int{false: 503, true: 401} {
		url := serve(t, Options{Auth: AuthOn, Keyring: keyring{identity.NewKeyring(), loaded}})
		response, body := do(t, newRequest(t, "GET", url+"/functions", "", "Authorization", "Bearer "+token))
		if response.StatusCode != want {
			t.Errorf("keys are known: %t, answered %d %s", loaded, response.StatusCode, body)
		}
		if response, _ = do(t, newRequest(t, "GET", url+"/functions", "")); response.StatusCode != 401 {
			t.Errorf("without a key: %d", response.StatusCode)
		}
	}
}

// What AUTH=on would refuse is served and logged. Keys are not: one that is made now would be taken later.
func TestALogOfWhatWouldBeRefused(t *testing.T) {
	g := guard(t, Options{Auth: AuthLog})
	caller := g.key(identity.Invoke, "a")
	for _, row := range []struct {
		request, token string
		want           int
		logged         bool
	}{
		{"GET /functions/a/f", "", 404, true},
		{"GET /functions/a/f", caller, 404, true},
		{"GET /functions/a/f", "fn_forged", 404, true},
		{"PUT /functions/a/f/run", caller, 404, false},
		{"PUT /functions/b/f/run", caller, 404, true},
		{"GET /livez", "", 200, false},
		{"POST /keys", "", 401, false},
		{"POST /keys", caller, 403, false},
		{"POST /keys", g.key(identity.Admin, "b"), 400, false},
	} {
		g.log.Reset()
		method, path, _ := strings.Cut(row.request, " ")
		response, body := g.ask(t, method, path, row.token)
		logged := strings.Contains(g.log.String(), "AUTH=on would refuse a request")
		if response.StatusCode != row.want || logged != row.logged {
			t.Errorf("%s with %q: %d %s, logged %q", row.request, row.token, response.StatusCode, body, g.log)
		}
		if row.token != "" && strings.Contains(g.log.String(), row.token) {
			t.Errorf("the log has the key: %s", g.log)
		}
	}
}

func TestFunctionsSeeNoKeysOfTheServer(t *testing.T) {
	var seen string
	invoker := &fakeInvoker{run: func(call invoke.Call) (*sandbox.Result, error) {
		seen = string(call.Request.Header)
		return &sandbox.Result{Status: 200, Body: []byte("1")}, nil
	}}
	for _, mode := range []Auth{AuthOff, AuthLog, AuthOn} {
		g := guard(t, Options{Auth: mode, Invoker: invoker})
		token := g.key(identity.Invoke, "*")
		if response, body := g.ask(t, "PUT", "/functions/a/f/run", token); response.StatusCode != 200 {
			t.Errorf("%d %s", response.StatusCode, body)
		}
		if strings.Contains(seen, token) != (mode == AuthOff) {
			t.Errorf("mode %d: the function sees %s", mode, seen)
		}
	}
	g := guard(t, Options{Auth: AuthOn, Invoker: invoker, Public: listed{{Namespace: "a", ID: "f"}: true}})
	public := function.AccessPublic
	invoker.find = func(ref function.Ref) (invoke.Found, error) {
		return invoke.Found{Function: &function.Function{Ref: ref, Options: function.Options{Access: &public}}}, nil
	}
	token := g.key(identity.Invoke, "*")
	for _, wrong := range []string{
		"Basic " + token, "Token " + token, token, `Bearer "` + token + `"`, "Bearer\t" + token, "Bearer x," + token,
		"Bearer: " + token, "key=" + token, "Bearer " + token + "x",
	} {
		seen = ""
		response, body := g.ask(t, "PUT", "/functions/a/f/run", "", "Authorization", wrong)
		if response.StatusCode != 401 || strings.Contains(seen, token) {
			t.Errorf("%q: %d %s, the function sees %s", wrong, response.StatusCode, body, seen)
		}
	}
	g = guard(t, Options{Auth: AuthLog, Invoker: invoker})
	_, _ = g.ask(t, "PUT", "/functions/a/f/run", "another.kind.of-token")
	if !strings.Contains(seen, "another.kind.of-token") {
		t.Errorf("the function does not see what is not for the server: %s", seen)
	}
}

// A server without keys has no such resource.
func TestWithoutKeysNothingIsGuarded(t *testing.T) {
	url := serve(t, Options{})
	for _, path := range []string{"/keys", "/keys/K"} {
		response, body := do(t, newRequest(t, "GET", url+path, "", "Authorization", "Bearer fn_x"))
		expect(t, response, body, 404, `{"error":"Cannot GET `+path+`"}`)
	}
	response, body := do(t, newRequest(t, "GET", url+"/functions", "", "Authorization", "Bearer fn_x"))
	expect(t, response, body, 200, `{"items":[],"page":1,"perPage":10}`)
}

// listed is a list of public functions.
type listed map[function.Ref]bool

// Access is that of anybody for those in the list.
func (l listed) Access(ref function.Ref) string {
	if l[ref] {
		return function.AccessPublic
	}
	return ""
}
func (listed) Count(func(string) bool) (matching, all int) { return 0, 0 }
func (listed) Loaded() bool                                { return true }

func TestAnybodyMayRunAPublicFunction(t *testing.T) {
	public := listed{{Namespace: "a", ID: "open"}: true, {Namespace: "a", ID: "closed-since"}: true}
	access := map[string]string{"open": function.AccessPublic, "not-listed": function.AccessPublic}
	invoker := answering(&sandbox.Result{Status: 200, Body: []byte("1")}, nil)
	invoker.find = func(ref function.Ref) (invoke.Found, error) {
		f := &function.Function{Ref: ref}
		if is, ok := access[ref.ID]; ok {
			f.Options.Access = &is
		}
		return invoke.Found{Function: f}, nil
	}
	g := guard(t, Options{Auth: AuthOn, Invoker: invoker, Public: public, Routes: tableOf(t, "/x")})
	inA, inB := g.key(identity.Invoke, "a"), g.key(identity.Invoke, "b")
	for _, row := range []struct {
		path, key string
		want      int
	}{
		{"/functions/a/open/run", "", 200},
		{"/functions/a/open/run", inA, 200},
		{"/functions/a/open/run", inB, 200},
		{"/functions/a/open/run", "fn_forged", 401},
		{"/functions/a/not-listed/run", "", 401},
		{"/functions/a/closed-since/run", "", 401},
		{"/functions/a/closed-since/run", inA, 200},
		{"/functions/b/open/run", "", 401},
		{"/functions/pipeline?steps[]=a/open&steps[]=a/open", "", 200},
		{"/functions/pipeline?steps[]=a/open&steps[]=b/f", "", 401},
		{"/functions/pipeline?steps[]=a/open&steps[]=b/f", inB, 200},
		{"/functions/pipeline?steps[]=a/open&steps[]=b/f", inA, 403},
		{"/functions/pipeline", "", 401},
		{"/x", "", 401},
	} {
		if response, body := g.ask(t, "PUT", row.path, row.key); response.StatusCode != row.want {
			t.Errorf("%s with %.8q: %d %s, want %d", row.path, row.key, response.StatusCode, body, row.want)
		}
	}
	for _, method := range []string{"GET", "DELETE"} {
		if response, body := g.ask(t, method, "/functions/a/open", ""); response.StatusCode != 401 {
			t.Errorf("%s of a public function: %d %s", method, response.StatusCode, body)
		}
	}
}

// opened is a list of public functions with their access.
type opened map[function.Ref]string

func (o opened) Access(ref function.Ref) string            { return o[ref] }
func (opened) Count(func(string) bool) (matching, all int) { return 0, 0 }
func (opened) Loaded() bool                                { return true }

func TestTheListOfPublicFunctionsFollowsThem(t *testing.T) {
	store, public := newFakeStore(), opened{}
	url := serve(t, Options{Store: store, Public: public})
	follow := func() {
		all, err := store.Public(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		clear(public)
		for _, f := range all {
			public[f.Ref] = f.Access
		}
	}
	for _, step := range []struct{ method, body, want string }{
		{"PUT", `{"code":"1"}`, ""},
		{"PUT", `{"code":"1","access":"public"}`, "public"},
		{"PUT", `{"code":"2"}`, "public"}, // an option stays until it is set anew
		{"PUT", `{"code":"2","access":"key"}`, ""},
		{"PUT", `{"code":"2","access":"jwt"}`, "jwt"},
		{"PUT", `{"code":"2","access":"public"}`, "public"},
		{"PUT", `{"code":"2","access":"jwt"}`, "jwt"},
		{"DELETE", "", ""},
	} {
		res, body := do(t, newRequest(t, step.method, url+"/functions/n/f", step.body, "Content-Type", jsonType))
		if res.StatusCode >= 300 {
			t.Fatalf("%s %s: %d %s", step.method, step.body, res.StatusCode, body)
		}
		follow()
		if got := public.Access(function.Ref{Namespace: "n", ID: "f"}); got != step.want {
			t.Errorf("after %s %s its access is %q", step.method, step.body, got)
		}
	}
	res, body := do(t, newRequest(t, "PUT", url+"/functions/n/f", `{"code":"1","access":"all"}`, "Content-Type", jsonType))
	if res.StatusCode != 400 || !strings.Contains(body, "instance.access is not one of enum values: public,key,jwt") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

// What goes on for long ends with the key that began it, and with no other.
func TestFollowersEndWithTheirKeys(t *testing.T) {
	logs := &fakeLogs{}
	g := guard(t, Options{Auth: AuthOn, Logs: logs})
	first, second := g.key(identity.Deploy, "ns"), g.key(identity.Deploy, "ns")
	begin := func(token string) *follower {
		f := startFollowing(t, g.url+"/functions/ns/id/logs?follow=1", "Authorization", "Bearer "+token)
		f.want(t, nothingNew)
		return f
	}
	revoked, going := begin(first), begin(second)
	g.ring.Set(g.keys[1:])
	revoked.want(t, "event: failure\ndata: {\"error\":\"The key is not valid any more\"}\n\n")
	revoked.want(t, "") // the end
	going.wantLine(t, logs.print(t, "a")[0], "a")
}

// Whatever a request is for, nothing that comes after the server has its key.
func TestTheAccessLogSeesNoKeys(t *testing.T) {
	var seen []string
	g := guard(t, Options{Auth: AuthOn, AccessLog: func(r *http.Request, _ Answer) {
		seen = append(seen, r.Header.Get("Authorization"))
	}})
	token := g.key(identity.Invoke, "*")
	for _, request := range []string{
		"GET /nope", "PATCH /functions/a/f", "GET /", "GET /livez", "GET /status",
		"OPTIONS /keys",
	} {
		method, path, _ := strings.Cut(request, " ")
		g.ask(t, method, path, token)
	}
	if strings.Join(seen, "") != "" {
		t.Errorf("it sees %q", seen)
	}
}

func TestARefusalByARouteDoesNotSayWhereItLeads(t *testing.T) {
	g := guard(t, Options{Auth: AuthOn, Routes: tableOf(t, "/x")})
	response, body := g.ask(t, "GET", "/x", g.key(identity.Invoke, "b"))
	expect(t, response, body, 403,
		`{"error":"The key may not do this: it needs the role invoke in the namespace of its function",`+
			`"reason":"forbidden"}`)
}
