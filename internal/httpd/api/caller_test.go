package api

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// withAccess finds functions with the access that their ID begins with, and counts how often.
func withAccess(finds *atomic.Int64, run func(invoke.Call) (*sandbox.Result, error)) *fakeInvoker {
	pipe := func(_ []function.Ref, call invoke.Call) (*sandbox.Result, error) { return run(call) }
	return &fakeInvoker{run: run, pipeline: pipe, find: func(ref function.Ref) (invoke.Found, error) {
		finds.Add(1)
		f := &function.Function{Ref: ref}
		if access, _, ok := strings.Cut(ref.ID, "-"); ok {
			f.Options.Access = &access
		}
		return invoke.Found{Function: f}, nil
	}}
}

// Who holds a token runs functions that are for such, and no others without a role.
func TestHoldersOfTokensRunFunctionsForThem(t *testing.T) {
	var finds atomic.Int64
	answer := func(invoke.Call) (*sandbox.Result, error) {
		return &sandbox.Result{Status: 200, Body: []byte("1")}, nil
	}
	guest, staff := bearer("", ""), bearer(identity.Invoke, "b")
	guest.Runs = []identity.Pattern{"a"}
	g := guard(t, Options{
		Auth: AuthOn, Invoker: withAccess(&finds, answer), Routes: tableOf(t, "/x"),
		Public: opened{
			{Namespace: "a", ID: "jwt-f"}: "jwt", {Namespace: "b", ID: "jwt-f"}: "jwt", {Namespace: "a", ID: "public-f"}: "public",
			{Namespace: "a", ID: "key-since"}: "jwt", {Namespace: "a", ID: "jwt-since"}: "public",
		},
		Tokens: &tokens{held: map[string]*identity.Bearer{"mine.guest": guest, "mine.staff": staff}},
	})
	inA, inB := g.key(identity.Invoke, "a"), g.key(identity.Invoke, "b")
	for _, row := range []struct {
		path, token string
		want        int
	}{
		{"/functions/a/jwt-f/run", "mine.guest", 200},
		{"/functions/a/jwt-f/run", "mine.staff", 200},
		{"/functions/a/jwt-f/run", "", 401},
		{"/functions/a/jwt-f/run", "mine.bad", 401},
		{"/functions/a/jwt-f/run", "others.token", 401},
		{"/functions/a/jwt-f/run", "mine.unknown", 503},
		{"/functions/a/jwt-f/run", inA, 200},
		{"/functions/a/jwt-f/run", inB, 403},
		{"/functions/b/jwt-f/run", "mine.guest", 403}, // the issuer is not for that namespace
		{"/functions/b/f/run", "mine.staff", 200},
		{"/functions/a/f/run", "mine.guest", 403},
		{"/functions/a/jwt-hidden/run", "mine.guest", 403}, // not in the list yet
		{"/functions/a/key-since/run", "mine.guest", 403},
		{"/functions/a/jwt-since/run", "", 401},
		{"/functions/a/jwt-since/run", "mine.guest", 200},
		{"/functions/a/public-f/run", "mine.guest", 200},
		{"/functions/pipeline?steps[]=a/jwt-f&steps[]=a/public-f", "mine.guest", 200},
		{"/functions/pipeline?steps[]=a/jwt-f&steps[]=a/public-f", "", 401},
		{"/functions/pipeline?steps[]=a/jwt-f&steps[]=a/f", "mine.guest", 403},
		{"/functions/pipeline?steps[]=a/jwt-f&steps[]=b/f", "mine.staff", 200},
		{"/x", "mine.guest", 403},
	} {
		if response, body := g.ask(t, "PUT", row.path, row.token); response.StatusCode != row.want {
			t.Errorf("%s with %.10q: %d %s, want %d", row.path, row.token, response.StatusCode, body, row.want)
		}
	}
	for _, method := range []string{"GET", "DELETE"} {
		if response, body := g.ask(t, method, "/functions/a/jwt-f", "mine.guest"); response.StatusCode != 403 {
			t.Errorf("%s: %d %s", method, response.StatusCode, body)
		}
	}
	finds.Store(0)
	for path, token := range map[string]string{"/functions/a/jwt-f/run": "", "/functions/a/f/run": "mine.guest", "/functions/b/jwt-f/run": "mine.guest"} {
		if _, _ = g.ask(t, "PUT", path, token); finds.Load() > 0 {
			t.Errorf("%s was looked for for who may not run it", path)
		}
	}
}

func TestAFunctionLearnsWhoCallsIfItAsks(t *testing.T) {
	var seen []string
	see := func(call invoke.Call) (*sandbox.Result, error) {
		seen = append(seen, string(call.Request.Auth))
		return &sandbox.Result{Status: 200, Body: []byte("1")}, nil
	}
	var finds atomic.Int64
	held := &tokens{held: map[string]*identity.Bearer{"mine.ada": bearer(identity.Invoke, "*")}}
	o := Options{
		Invoker: withAccess(&finds, see), Tokens: held, Public: opened{{Namespace: "a", ID: "public-f"}: "public"},
	}
	const ada = `{"type":"jwt","issuer":"https://login.example","subject":"ada","claims":{"sub":"ada"}}`
	for _, mode := range []Auth{AuthOff, AuthLog, AuthOn} {
		o.Auth = mode
		g := guard(t, o)
		key := g.key(identity.Invoke, "a", "b-*")
		byKey := `{"type":"key","id":"` + g.keys[0].ID + `","role":"invoke","namespaces":["a","b-*"]}`
		for _, row := range []struct{ path, token, want string }{
			{"/functions/a/jwt-f/run", "mine.ada", ada},
			{"/functions/a/key-f/run", "mine.ada", ada},
			{"/functions/a/jwt-f/run", key, byKey},
			{"/functions/a/key-f/run", key, byKey},
			{"/functions/a/f/run", "mine.ada", ""},
			{"/functions/a/f/run", key, ""},
			{"/functions/a/public-f/run", "mine.ada", ""},
			{"/functions/a/public-f/run", "", ""},
			{"/functions/pipeline?steps[]=a/f&steps[]=a/jwt-f", "mine.ada", ada},
		} {
			seen = nil
			response, body := g.ask(t, "PUT", row.path, row.token)
			want := row.want
			if mode == AuthOff {
				want = ""
			}
			if response.StatusCode != 200 || !slices.Equal(seen, []string{want}) {
				t.Errorf("mode %d, %s with %.10q: %d %s, it sees %s, want %s", mode, row.path, row.token, response.StatusCode, body, seen, want)
			}
		}
		if seen = nil; mode == AuthLog {
			g.ask(t, "PUT", "/functions/a/jwt-f/run", "mine.bad")
			if !slices.Equal(seen, []string{""}) {
				t.Errorf("of a token that is not valid it sees %s", seen)
			}
		}
	}
}
