package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/audit"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/sandbox"
)

// auditor remembers what is recorded, as JSON has it.
type auditor struct {
	mu      sync.Mutex // guards the field below
	records []audit.Record
}

func (a *auditor) Write(r audit.Record)            { a.add(r) }
func (a *auditor) Refuse(r audit.Record, _ string) { a.add(r) }

func (a *auditor) add(r audit.Record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.records = append(a.records, r)
}

// take returns the records since the last call.
func (a *auditor) take() []audit.Record {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := a.records
	a.records = nil
	return taken
}

// unrecorded are the methods other than GET that change nothing but calls. A new one that is not among them is recorded.
var unrecorded = []string{
	"* /functions/{namespace}/{id}/run", "* /functions/{namespace}/{id}/run/*", "PUT /functions/pipeline",
	"POST /functions/{namespace}/{id}/batch",
	"POST /namespaces/{namespace}/connections/{connection}", "DELETE /namespaces/{namespace}/connections/{connection}",
	"POST /namespaces/{namespace}/connections", "DELETE /functions/{namespace}/{id}/invocations/{invocation}",
}

// pathOf is a path of a resource whose variables are names.
func pathOf(res resource) string {
	path := strings.NewReplacer("{namespace}", "a", "{id}", "f", "{env}", "E", "{route}", "r", "{key}", "K",
		"{connection}", "C", "{module}", "m", "*", "x").Replace(res.path)
	if res.path == pipelinePath {
		path += "?steps[0]=a/f&steps[1]=a/g"
	}
	return strings.NewReplacer("{", "", "}", "").Replace(path)
}

// What writes is recorded, be it new: the list is that of the router.
func TestEveryWriteIsRecorded(t *testing.T) {
	recorder := new(auditor)
	g := guard(t, Options{Auth: AuthOn, Audit: recorder, AuditList: mem.New()})
	admin := g.key(identity.Admin, "*")
	for _, res := range newServer(Options{}.withDefaults()).resources() {
		for _, m := range res.methods {
			name := m.name + " " + res.path
			writes := m.name != http.MethodGet && !slices.Contains(unrecorded, name)
			if m.isWrite() != writes {
				t.Errorf("%s is recorded as a write: %t", name, m.isWrite())
			}
			response, _ := g.ask(t, strings.Replace(m.name, anyMethod, "PUT", 1), pathOf(res), admin)
			records := recorder.take()
			if !writes {
				if len(records) > 0 {
					t.Errorf("%s: %+v", name, records)
				}
				continue
			}
			if len(records) != 1 {
				t.Errorf("%s has %d records", name, len(records))
				continue
			}
			r := records[0]
			result := audit.Done
			if response.StatusCode >= 400 {
				result = audit.Failed
			}
			if r.Action != name || r.Status != response.StatusCode || r.Result != result || r.Actor != g.keys[0].ID ||
				r.Address != "127.0.0.1" || r.RequestID != response.Header.Get("X-Request-Id") || r.Time.IsZero() {
				t.Errorf("%s is answered %d and recorded as %+v", name, response.StatusCode, r)
			}
			if strings.Contains(res.path, "{namespace}") && !reflect.DeepEqual(r.Namespaces, []string{"a"}) {
				t.Errorf("%s: of namespaces %q", name, r.Namespaces)
			}
		}
	}
}

func TestEveryRefusalIsRecorded(t *testing.T) {
	recorder := new(auditor)
	g := guard(t, Options{Auth: AuthOn, Audit: recorder, AuditList: mem.New()})
	foreign := g.key(identity.Invoke, "b")
	for _, res := range newServer(Options{}.withDefaults()).resources() {
		for _, m := range res.methods {
			for _, token := range []string{"", foreign} {
				name := m.name + " " + res.path
				response, _ := g.ask(t, strings.Replace(m.name, anyMethod, "PUT", 1), pathOf(res), token)
				records := recorder.take()
				if response.StatusCode != 401 && response.StatusCode != 403 {
					continue
				}
				if len(records) != 1 {
					t.Errorf("%s has %d records", name, len(records))
					continue
				}
				want := map[int]string{401: "unauthorized", 403: "forbidden"}[response.StatusCode]
				r := records[0]
				if r.Result != audit.Refused || r.Reason != want || r.Status != response.StatusCode ||
					r.Action != strings.Replace(m.name, anyMethod, "PUT", 1)+" "+res.path || (r.Actor != "") != (token != "") {
					t.Errorf("%s is recorded as %+v", name, r)
				}
			}
		}
	}
}

// What a function answers is no refusal, however it looks.
func TestARefusalIsTheServers(t *testing.T) {
	recorder := new(auditor)
	var result *sandbox.Result
	var failure error
	o := Options{Audit: recorder, Invoker: &fakeInvoker{
		run:      func(invoke.Call) (*sandbox.Result, error) { return result, failure },
		pipeline: func([]function.Ref, invoke.Call) (*sandbox.Result, error) { return result, failure },
	}}
	url := serve(t, o)
	for _, status := range []int{401, 403} {
		for _, path := range []string{"/functions/a/f/run", "/functions/pipeline?steps[]=a/f"} {
			result, failure = &sandbox.Result{Status: status, Body: []byte("1")}, nil
			if response, _ := do(t, newRequest(t, "PUT", url+path, "")); response.StatusCode != status {
				t.Errorf("%s: %d", path, response.StatusCode)
			}
			result, failure = nil, &sandbox.FunctionError{Message: "no", Status: status, HasStatus: true}
			if response, _ := do(t, newRequest(t, "PUT", url+path, "")); response.StatusCode != status {
				t.Errorf("%s throws: %d", path, response.StatusCode)
			}
		}
	}
	if records := recorder.take(); len(records) > 0 {
		t.Errorf("%+v", records)
	}
}

func TestARecordSaysWhat(t *testing.T) {
	recorder := new(auditor)
	g := guard(t, Options{Auth: AuthOn, Audit: recorder})
	admin := g.key(identity.Admin, "*")
	ask := func(method, path, body string) (*http.Response, audit.Record, string) {
		t.Helper()
		response, answer := do(t, newRequest(t, method, g.url+path, body, "Authorization", "Bearer "+admin, "Content-Type", jsonType))
		records := recorder.take()
		if len(records) != 1 {
			t.Fatalf("%s %s: %d %s: %d records", method, path, response.StatusCode, answer, len(records))
		}
		return response, records[0], answer
	}
	response, put, _ := ask("PUT", "/FUNCTIONS/a%2Fb/%FF", `{"code":"secret"}`)
	if response.StatusCode != 400 || put.Namespaces[0] != "a/b" || put.Target["id"] != "\xff" || put.Result != audit.Failed {
		t.Errorf("%+v", put)
	}
	_, put, _ = ask("PUT", "/functions/a%2Fb/%C3%A9", `{"code":"secret","env":{"A":"secret"}}`)
	if put.Hash == "" || put.Revision == "" || put.Target["id"] != "é" || put.Result != audit.Done || put.Group != "of a/b" {
		t.Errorf("%+v", put)
	}
	_, env, _ := ask("PUT", "/functions/a%2Fb/%C3%A9/env/TOKEN", `"secret"`)
	if env.Target["env"] != "TOKEN" || env.Status != 204 {
		t.Errorf("%+v", env)
	}
	_, made, answer := ask("POST", "/keys", `{"role":"deploy","namespaces":["a","b*"]}`)
	var key struct{ ID, Key string }
	if err := json.Unmarshal([]byte(answer), &key); err != nil {
		t.Fatal(err)
	}
	if made.Target["key"] != key.ID || made.Role != "deploy" || !slices.Equal(made.Namespaces, []string{"a", "b*"}) {
		t.Errorf("%+v", made)
	}
	_, revoked, _ := ask("DELETE", "/keys/"+key.ID, "")
	if revoked.Target["key"] != key.ID || revoked.Role != "deploy" || len(revoked.Namespaces) != 2 {
		t.Errorf("%+v", revoked)
	}
	_, route, _ := ask("PUT", "/routes/r", `{"path":"/x","function":"shop/cart"}`)
	if route.Target["route"] != "r" || route.Target["id"] != "cart" || route.Namespaces[0] != "shop" {
		t.Errorf("%+v", route)
	}
	for _, r := range []audit.Record{put, env, made, revoked, route} {
		if text := string(r.JSON()); strings.Contains(text, "secret") || strings.Contains(text, key.Key) || strings.Contains(text, admin) {
			t.Errorf("the record tells too much: %s", text)
		}
	}
}

// A refusal tells the ID in a key that is not valid any more, and never the key, wherever that was put.
func TestARecordHasNoKeys(t *testing.T) {
	recorder := new(auditor)
	g := guard(t, Options{Auth: AuthOn, Audit: recorder})
	id, gone := identity.New(identity.Key{})
	for _, header := range [][]string{
		{"Authorization", "Bearer " + gone}, {"Authorization", "Basic " + gone}, {"X-Request-Id", gone}, {"Cookie", gone},
	} {
		for _, path := range []string{"/functions/a/f", "/functions/a/f?key=" + gone, "/functions?" + gone, "/nope/" + gone} {
			g.ask(t, "PUT", path, "", header...)
			for _, r := range recorder.take() {
				if strings.Contains(string(r.JSON()), gone) {
					t.Errorf("%q: %s", header, r.JSON())
				}
				if claims := header[1] == "Bearer "+gone && path == "/functions/a/f"; claims != (r.Claimed == id.ID) {
					t.Errorf("%q claims %q", header, r.Claimed)
				}
			}
		}
	}
}

// Nor does the record of a write whose names have a key.
func TestARecordOfAWriteHasNoKeys(t *testing.T) {
	recorder := new(auditor)
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	g := guard(t, Options{Auth: AuthOn, Audit: recorder, Store: newFakeStore(), TrustedProxies: loopback})
	_, other := identity.New(identity.Key{})
	made, status, text := g.makeKey(t, g.key(identity.Admin, "*"), `{"role":"invoke","namespaces":["`+other+`"]}`)
	if status != http.StatusCreated || made.ID == "" {
		t.Fatalf("%d %s", status, text)
	}
	g.ask(t, "GET", "/functions/a/f", "", "X-Forwarded-For", other)
	records := recorder.take()
	for _, r := range records {
		if strings.Contains(string(r.JSON()), other) {
			t.Errorf("recorded %s", r.JSON())
		}
	}
	if len(records) != 2 || !slices.Equal(records[0].Namespaces, []string{identity.Masked}) {
		t.Errorf("recorded %+v", records)
	}
}

func TestWhatAUTHOnWouldRefuseIsRecorded(t *testing.T) {
	recorder := new(auditor)
	g := guard(t, Options{Auth: AuthLog, Audit: recorder})
	g.ask(t, "GET", "/functions/a/f", "")
	records := recorder.take()
	if len(records) != 1 || records[0].Result != audit.Tolerated || records[0].Reason != "unauthorized" {
		t.Errorf("%+v", records)
	}
}

func TestTheListOfRecordsShowsWhatTheCallerAdministers(t *testing.T) {
	list := mem.New()
	g := guard(t, Options{Auth: AuthOn, AuditList: list})
	var records []audit.Record
	for _, namespaces := range [][]string{{"a"}, {"b"}, {"a", "b"}, {"team-*"}, {"team-x"}, nil} {
		records = append(records, audit.Record{
			Time: auditTime(), Result: audit.Done, Action: strings.Join(namespaces, "+"), Namespaces: namespaces, Actor: "K",
		})
	}
	if err := list.AppendAudit(t.Context(), records, audit.Keep{Records: 100, Age: 1 << 50}); err != nil {
		t.Fatal(err)
	}
	ask := func(token, query string, status int) (actions []string, next string) {
		t.Helper()
		response, body := g.ask(t, "GET", "/audit"+query, token)
		var page struct {
			Items []audit.Record
			Next  string
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || response.StatusCode != status {
			t.Fatalf("%s: %d %s", query, response.StatusCode, body)
		}
		for _, r := range page.Items {
			actions = append(actions, r.Action)
		}
		return actions, page.Next
	}
	all := g.key(identity.Admin, "*")
	for _, row := range []struct{ token, query, want string }{
		{all, "", "[ team-x team-* a+b b a]"},
		{g.key(identity.Admin, "a"), "", "[a]"},
		{g.key(identity.Admin, "a", "b"), "", "[a+b b a]"},
		{g.key(identity.Admin, "team-*"), "", "[team-x team-*]"},
		{g.key(identity.Admin, "team-x"), "", "[team-x]"},
		{g.key(identity.Admin, "a"), "?namespace=b", "[]"},
		{all, "?namespace=b", "[a+b b]"},
		{all, "?actor=nobody", "[]"},
		{all, "?action=a%2Bb&result=done&actor=K&since=2020-01-01T00:00:00Z", "[a+b]"},
		{all, "?since=2999-01-01T00:00:00Z", "[]"},
	} {
		if got, _ := ask(row.token, row.query, 200); fmt.Sprint(got) != row.want {
			t.Errorf("%s: %q, want %s", row.query, got, row.want)
		}
	}
	got, next := ask(all, "?limit=4", 200)
	rest, end := ask(all, "?limit=4&before="+next, 200)
	if len(got) != 4 || fmt.Sprint(rest) != "[b a]" || end != "" {
		t.Errorf("%q, then %q", got, rest)
	}
	for _, wrong := range []string{"?limit=0", "?limit=1001", "?limit=x", "?since=yesterday", "?before=x", "?result=foo"} {
		ask(all, wrong, 400)
	}
}

func TestWithoutKeysThereIsNoListOfRecords(t *testing.T) {
	url := serve(t, Options{AuditList: mem.New()})
	response, body := do(t, newRequest(t, "GET", url+"/audit", ""))
	expect(t, response, body, 404, `{"error":"Cannot GET /audit"}`)
}

func TestARecordNamesTheHolderOfAToken(t *testing.T) {
	recorder := new(auditor)
	held := &tokens{held: map[string]*identity.Bearer{"mine.good": bearer(identity.Deploy, "a")}}
	g := guard(t, Options{Auth: AuthOn, Audit: recorder, Tokens: held})
	g.ask(t, "DELETE", "/functions/a/f", "mine.good")
	g.ask(t, "DELETE", "/functions/b/f", "mine.good")
	for _, r := range recorder.take() {
		if r.Actor != "https://login.example#ada" {
			t.Errorf("%+v", r)
		}
	}
}
