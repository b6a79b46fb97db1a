package api

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/sandbox"
)

// tokens has those that begin with "mine."; what is not in the list is not valid.
type tokens struct {
	held map[string]*identity.Bearer

	mu    sync.Mutex // guards the field below
	ended []func()
}

func (*tokens) Issued(text string) bool { return strings.HasPrefix(text, "mine.") }

func (s *tokens) Find(_ context.Context, token string, _ time.Time) (*identity.Bearer, error) {
	switch b, ok := s.held[token]; {
	case ok:
		return b, nil
	case token == "mine.unknown":
		return nil, identity.ErrKeysUnknown
	case s.Issued(token):
		return nil, identity.ErrUnknown
	}
	return nil, identity.ErrForeign
}

func (s *tokens) Watch(_ *identity.Bearer, _ time.Time, ended func()) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = append(s.ended, ended)
	return func() {}
}

// end ends all tokens.
func (s *tokens) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ended := range s.ended {
		ended()
	}
}

// bearer is one with a role in a namespace.
func bearer(role identity.Role, in identity.Pattern) *identity.Bearer {
	b := &identity.Bearer{Issuer: "https://login.example", Subject: "ada", Claims: []byte(`{"sub":"ada"}`), Runs: []identity.Pattern{"*"}}
	if role != "" {
		b.Grants = []identity.Grant{{Role: role, Namespaces: []identity.Pattern{in}}}
	}
	return b
}

func TestEveryResourceServesHoldersOfTokensWhoMay(t *testing.T) {
	held := map[string]*identity.Bearer{"mine.nothing": bearer("", "")}
	for _, role := range identity.Roles {
		for _, in := range []identity.Pattern{"a", "b", "*"} {
			held["mine."+string(role)+" "+string(in)] = bearer(role, in)
		}
	}
	g := guard(t, Options{Auth: AuthOn, AuditList: mem.New(), Tokens: &tokens{held: held}})
	for _, res := range newServer(Options{}.withDefaults()).resources() {
		for _, m := range res.methods {
			path := strings.NewReplacer("{namespace}", "a", "{id}", "f", "{env}", "E", "{route}", "r", "{key}", "K",
				"{connection}", "C", "{module}", "m", "*", "x").Replace(res.path)
			if res.path == "/functions/pipeline" {
				path += "?steps[0]=a/f&steps[1]=a/g"
			}
			method := strings.Replace(m.name, anyMethod, "PATCH", 1)
			for token := range held {
				role, in, _ := strings.Cut(strings.TrimPrefix(token, "mine."), " ")
				response, body := g.ask(t, method, path, token)
				want := matrix[m.name+" "+res.path].serves(identity.Role(role), identity.Pattern(in))
				got := response.StatusCode != http.StatusUnauthorized && response.StatusCode != http.StatusForbidden
				if got != want {
					t.Errorf("%s %s by %s: %d %s, want served: %t", method, path, token, response.StatusCode, body, want)
				}
			}
		}
	}
}

// A token that is not valid is refused in the words for a key that is not.
func TestTokensAreReadStrictly(t *testing.T) {
	var seen string
	invoker := &fakeInvoker{run: func(call invoke.Call) (*sandbox.Result, error) {
		seen = string(call.Request.Header)
		return &sandbox.Result{Status: 200, Body: []byte("1")}, nil
	}}
	public := function.AccessPublic
	invoker.find = func(ref function.Ref) (invoke.Found, error) {
		return invoke.Found{Function: &function.Function{Ref: ref, Options: function.Options{Access: &public}}}, nil
	}
	g := guard(t, Options{
		Auth: AuthOn, Invoker: invoker, Public: listed{{Namespace: "a", ID: "open"}: true},
		Tokens: &tokens{held: map[string]*identity.Bearer{"mine.good": bearer(identity.Invoke, "a")}},
	})
	key := g.key(identity.Invoke, "a")
	const wrong = `{"error":"The key is not valid: there is no such key","reason":"unauthorized"}`
	const twice = `{"error":"The key is not valid: the header Authorization is there more than once","reason":"unauthorized"}`
	for _, row := range []struct {
		values       string // with | between
		status       int
		body         string
		public       int
		passedToOpen bool
	}{
		{"Bearer mine.good", 200, "1", 200, false},
		{"bearer   mine.good ", 200, "1", 200, false},
		{"Bearer mine.bad", 401, wrong, 401, false},
		{"Basic mine.good", 401, wrong, 401, false},
		{"mine.good", 401, wrong, 401, false},
		{"Bearer mine.good,mine.good", 401, wrong, 401, false},
		{"Bearer x,mine.good", 401, wrong, 401, false},
		{`Bearer "mine.good"`, 401, wrong, 401, false},
		{"Bearer mine.good|Bearer mine.good", 401, twice, 401, false},
		{"Basic x|Bearer mine.good", 401, twice, 401, false},
		{"Bearer mine.good|Bearer " + key, 401, twice, 401, false},
		{"Bearer others.token", 401, wrong, 200, true},
		{"Basic dXNlcg==", 401, wrong, 200, true},
		{"Basic a|Basic b", 401, wrong, 200, true},
		{"Bearer fn_forged", 401, wrong, 401, false},
	} {
		var header []string
		for value := range strings.SplitSeq(row.values, "|") {
			header = append(header, "Authorization", value)
		}
		response, body := g.ask(t, "PUT", "/functions/a/f/run", "", header...)
		if response.StatusCode != row.status || body != row.body {
			t.Errorf("%s: %d %s, want %d %s", row.values, response.StatusCode, body, row.status, row.body)
		}
		seen = ""
		response, body = g.ask(t, "PUT", "/functions/a/open/run", "", header...)
		if response.StatusCode != row.public || strings.Contains(seen, "authorization") != row.passedToOpen {
			t.Errorf("%s to a public function: %d %s, it sees %s", row.values, response.StatusCode, body, seen)
		}
	}
	response, body := g.ask(t, "PUT", "/functions/a/f/run", "mine.unknown")
	expect(t, response, body, 503, `{"error":"The keys of the issuer of the token are not known at the moment","reason":"keys_unknown"}`)
	if response, _ = g.ask(t, "GET", "/functions?access_token=mine.good", "", "Cookie", "token=mine.good"); response.StatusCode != 401 {
		t.Errorf("a token in another place than the header: %d", response.StatusCode)
	}
}

func TestFollowersEndWithTheirTokens(t *testing.T) {
	held := &tokens{held: map[string]*identity.Bearer{"mine.good": bearer(identity.Deploy, "ns")}}
	g := guard(t, Options{Auth: AuthOn, Logs: &fakeLogs{}, Tokens: held})
	f := startFollowing(t, g.url+"/functions/ns/id/logs?follow=1", "Authorization", "Bearer mine.good")
	f.want(t, nothingNew)
	held.end()
	f.want(t, "event: failure\ndata: {\"error\":\"The key is not valid any more\"}\n\n")
	f.want(t, "") // the end
}

func TestAKeyThatIsMadeWithATokenHasAnEnd(t *testing.T) {
	g := guard(t, Options{
		Auth: AuthOn, Tokens: &tokens{held: map[string]*identity.Bearer{"mine.good": bearer(identity.Admin, "a")}},
	})
	for body, want := range map[string]int{
		`{"role":"invoke","namespaces":["a"]}`:                                        201,
		`{"role":"invoke","namespaces":["b"]}`:                                        403,
		`{"role":"invoke","namespaces":["a"],"expires":"2999-01-01T00:00:00Z"}`:       400,
		`{"role":"invoke","namespaces":["a"],"expires":"` + inADay() + `"}`:           201,
		`{"role":"invoke","namespaces":["a"],"expires":"` + inADay() + `","key":"x"}`: 400,
	} {
		response, text := do(t, newRequest(t, "POST", g.url+"/keys", body, "Content-Type", jsonType, "Authorization", "Bearer mine.good"))
		if response.StatusCode != want || want == 201 && !strings.Contains(text, `"expires":`) {
			t.Errorf("%s: %d %s", body, response.StatusCode, text)
		}
	}
}

func inADay() string { return time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339) }
