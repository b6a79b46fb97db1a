package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/calls"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/sandbox"
)

// telling is a server whose functions are named after their option callback: "url" has one, "secret" leaves it to the
// caller, any other has none.
func telling(t *testing.T) (address string, store *mem.Store) {
	t.Helper()
	v := &fakeInvoker{
		run: echoing,
		find: func(ref function.Ref) (invoke.Found, error) {
			f := &function.Function{Ref: ref}
			switch ref.ID {
			case "url":
				f.Options.Callback = &function.Callback{URL: "https://fixed.example/hook?key=1", Secret: "HOOK"}
			case "secret":
				f.Options.Callback = &function.Callback{Secret: "HOOK"}
			}
			return invoke.Found{Function: f}, nil
		},
	}
	store = mem.New()
	e := calls.New(calls.Options{
		Queue: store, Invoker: v, Spare: func(calls.Load) int { return 1 }, Limits: queue.Limits{Calls: 100, Bytes: 1 << 20},
		Poll: 20 * time.Millisecond,
	})
	runCalls(t, e)
	return serve(t, Options{
		Invoker: v, Calls: e, CallTimes: CallTimes{Keep: time.Hour, KeepDead: time.Hour},
		CallbackTo: func(address string) bool { return address == "hooks.example:443" },
	}), store
}

// runCalls runs an engine until the test ends.
func runCalls(t *testing.T, e *calls.Engine) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		e.Close(ctx)
	})
}

func TestCallbacksAreClosedByDefault(t *testing.T) {
	at, _ := telling(t)
	for _, row := range []struct {
		function, url string
		status        int
		says          string
	}{
		{"none", "", 202, ""},
		{"url", "", 202, ""},
		{"secret", "", 202, ""},
		{"secret", "https://hooks.example/a?b=c", 202, ""},
		{"secret", "https://HOOKS.example:443/", 403, "CALLS_CALLBACK_HOSTS does not name its host"},
		{"none", "https://hooks.example/", 403, "names no secret"},
		{"url", "https://hooks.example/", 403, "a URL of its own"},
		{"secret", "https://evil.example/", 403, "CALLS_CALLBACK_HOSTS does not name its host"},
		{"secret", "https://hooks.example:8443/", 403, "CALLS_CALLBACK_HOSTS does not name its host"},
		{"secret", "http://hooks.example/", 403, "CALLS_CALLBACK_HOSTS does not name its host"},
		{"secret", "ftp://hooks.example/", 400, "is not an http or https URL"},
		{"secret", "//hooks.example/", 400, "is not an http or https URL"},
		{"secret", "https://a:b@hooks.example/", 400, "must not have a user"},
		{"secret", "https://hooks.example/#a", 400, "must not have a fragment"},
		{"secret", "https://hooks.example/" + strings.Repeat("a", 2048), 400, "is not an http or https URL"},
	} {
		header := []string{"Prefer", "respond-async"}
		if row.url != "" {
			header = append(header, "Callback-URL", row.url)
		}
		res, body := do(t, newRequest(t, "PUT", at+"/functions/ns/"+row.function+"/run", "", header...))
		if res.StatusCode != row.status || !strings.Contains(body, row.says) {
			t.Errorf("%s %s: answered %d %s", row.function, row.url, res.StatusCode, body)
		}
	}
	off := queued(t, echoing)
	res, body := do(t, newRequest(t, "PUT", off+"/functions/ns/id/run", "", "Prefer", "respond-async", "Callback-URL",
		"https://hooks.example/"))
	if res.StatusCode != 403 {
		t.Errorf("without CALLS_CALLBACK_HOSTS: answered %d %s", res.StatusCode, body)
	}
	if res, body := do(t, newRequest(t, "PUT", at+"/functions/ns/url/run", `{"a":1}`, "Callback-URL", "x", "Content-Type",
		"application/json")); res.StatusCode != 201 || !strings.Contains(body, `"callback-url":"x"`) {
		t.Errorf("a synchronous call is answered %d %s", res.StatusCode, body)
	}
}

func TestARecordSaysWhatBecameOfItsCallback(t *testing.T) {
	at, store := telling(t)
	res, _ := do(t, newRequest(t, "PUT", at+"/functions/ns/url/run", "", "Prefer", "respond-async"))
	location := res.Header.Get("Location")
	c := record(t, at+location)
	told, _ := c["callback"].(map[string]any)
	if told["host"] != "fixed.example" || told["status"] != "queued" ||
		strings.Contains(res.Header.Get("Location"), "key") {
		t.Errorf("the record is %v", c)
	}
	redrive := func() (int, string) {
		res, body := do(t, newRequest(t, "POST", at+location+"/callback/redrive", ""))
		return res.StatusCode, body
	}
	if status, body := redrive(); status != 409 || !strings.Contains(body, `"not_settled"`) {
		t.Errorf("answered %d %s", status, body)
	}
	jobs, _, err := store.TakeCallbacks(t.Context(), "web-1", 1, time.Hour)
	if err != nil || len(jobs) != 1 {
		t.Fatalf("%v %v", jobs, err)
	}
	fail := queue.Settlement{
		Lease: queue.LeaseOf(jobs[0]), Outcome: queue.Fail, Reason: "gone", Detail: []byte(`{"status":410}`),
	}
	if _, err := store.SettleCallback(t.Context(), &fail); err != nil {
		t.Fatal(err)
	}
	_, body := do(t, newRequest(t, "GET", at+location, ""))
	var shown struct {
		Callback struct {
			Host, Status, ID, Reason string
			Attempts                 []struct{ Status int }
		}
	}
	if err := json.Unmarshal([]byte(body), &shown); err != nil || shown.Callback.Status != "dead" ||
		shown.Callback.Reason != "gone" || len(shown.Callback.Attempts) != 1 || shown.Callback.Attempts[0].Status != 410 ||
		!strings.HasPrefix(shown.Callback.ID, jobs[0].ID+".") || strings.Contains(body, "key=1") {
		t.Errorf("the record is %s, %v", body, err)
	}
	for query, want := range map[string]bool{"callback=dead": true, "callback=queued": false} {
		_, body := do(t, newRequest(t, "GET", at+"/functions/ns/url/invocations?"+query, ""))
		if strings.Contains(body, jobs[0].ID) != want {
			t.Errorf("%s lists %s", query, body)
		}
	}
	if res, body := do(t, newRequest(t, "GET", at+"/functions/ns/url/invocations?callback=x", "")); res.StatusCode != 400 {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	if status, body := redrive(); status != 202 {
		t.Errorf("answered %d %s", status, body)
	}
	if status, body := redrive(); status != 409 {
		t.Errorf("answered %d %s", status, body)
	}
	location = "/functions/ns/url/invocations/none"
	if status, body := redrive(); status != 404 {
		t.Errorf("answered %d %s", status, body)
	}
}

// TestAnotherCallbackIsAnotherRequest repeats a call with the same idempotency key.
func TestAnotherCallbackIsAnotherRequest(t *testing.T) {
	at, _ := telling(t)
	for _, row := range []struct {
		url    string
		status int
	}{{"https://hooks.example/1", 202}, {"https://hooks.example/1", 202}, {"https://hooks.example/2", 422}} {
		res, body := do(t, newRequest(t, "PUT", at+"/functions/ns/secret/run", "", "Prefer", "respond-async",
			"Idempotency-Key", "1", "Callback-URL", row.url))
		if res.StatusCode != row.status {
			t.Errorf("%s: answered %d %s", row.url, res.StatusCode, body)
		}
	}
}

// TestAPipelineTellsOneNamespace has pipelines whose first step has a callback.
func TestAPipelineTellsOneNamespace(t *testing.T) {
	at, _ := telling(t)
	for _, row := range []struct {
		second, url string
		status      int
		told        bool
	}{
		{"ns/none", "", 202, true},
		{"other/none", "", 202, false},
		{"other/url", "", 202, false},
		{"other/none", "https://hooks.example/", 403, false},
	} {
		first, header := "url", []string{"Prefer", "respond-async"}
		if row.url != "" {
			first, header = "secret", append(header, "Callback-URL", row.url)
		}
		path := "/functions/pipeline?steps[0]=ns/" + first + "&steps[1]=" + row.second
		res, body := do(t, newRequest(t, "PUT", at+path, "", header...))
		if res.StatusCode != row.status {
			t.Errorf("%+v: answered %d %s", row, res.StatusCode, body)
			continue
		}
		if row.status != 202 {
			continue
		}
		_, body = do(t, newRequest(t, "GET", at+res.Header.Get("Location"), ""))
		if strings.Contains(body, `"callback":`) != row.told {
			t.Errorf("%+v: the record is %s", row, body)
		}
	}
}

func TestAnAddressHasThePortOfItsScheme(t *testing.T) {
	for text, want := range map[string]string{
		"http://a.example/": "a.example:80", "https://a.example": "a.example:443", "https://[::1]:8/": "[::1]:8",
	} {
		u, err := url.Parse(text)
		if err != nil || addressOf(u) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestWaitingEndsWithItsKey revokes the key of callers who wait for a call that does not end.
func TestWaitingEndsWithItsKey(t *testing.T) {
	begun, release := make(chan struct{}, 2), make(chan struct{})
	defer close(release)
	v := &fakeInvoker{
		run: func(invoke.Call) (*sandbox.Result, error) {
			begun <- struct{}{}
			<-release
			return &sandbox.Result{Status: 200}, nil
		},
		find: func(ref function.Ref) (invoke.Found, error) {
			return invoke.Found{Function: &function.Function{Ref: ref}}, nil
		},
	}
	g := guard(t, Options{
		Auth: AuthOn, Invoker: v, Calls: newCalls(t, v), CallTimes: CallTimes{Keep: time.Hour, KeepDead: time.Hour},
	})
	token, staying := g.key(identity.Invoke, "ns"), g.key(identity.Invoke, "ns")
	first, body := g.ask(t, "PUT", "/functions/ns/id/run", token, "Prefer", "respond-async")
	if first.StatusCode != http.StatusAccepted {
		t.Fatalf("answered %d %s", first.StatusCode, body)
	}
	<-begun
	answers := make(chan *http.Response, 3)
	for _, request := range [][]string{
		{"GET", first.Header.Get("Location") + "?wait=60"}, {"PUT", "/functions/ns/id/run"},
	} {
		go func() {
			res, _ := g.ask(t, request[0], request[1], token, "Prefer", "respond-async, wait=60")
			answers <- res
		}()
	}
	<-begun // so the second call is there, and its caller waits or is about to
	g.ring.Set(g.keys[1:])
	for range 2 {
		if res := <-answers; res.StatusCode != http.StatusUnauthorized {
			t.Errorf("answered %d", res.StatusCode)
		}
	}
	if res, body := g.ask(t, "GET", first.Header.Get("Location"), staying); res.StatusCode != 200 {
		t.Errorf("another caller is answered %d %s", res.StatusCode, body)
	}
}
