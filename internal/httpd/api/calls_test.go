package api

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/calls"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/internal/usage"
	"github.com/backstage/functions/sandbox"
)

// newCalls is a queue in memory whose calls v runs.
func newCalls(t *testing.T, v calls.Invoker) *calls.Engine {
	t.Helper()
	e := calls.New(calls.Options{
		Queue: mem.New(), Invoker: v, Spare: func(l calls.Load) int { return 2 - l.Running },
		Limits: queue.Limits{Calls: 3, Bytes: 1 << 20}, Poll: 20 * time.Millisecond,
	})
	ctx, cancel := context.WithCancel(context.Background())
	var runs sync.WaitGroup
	runs.Go(func() { e.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		runs.Wait()
		e.Close(ctx)
	})
	return e
}

// queued is a server with asynchronous calls of one function.
func queued(t *testing.T, run func(call invoke.Call) (*sandbox.Result, error)) string {
	t.Helper()
	v := &fakeInvoker{
		run: run,
		find: func(ref function.Ref) (invoke.Found, error) {
			if ref.ID == "missing" {
				return invoke.Found{}, &function.NotFoundError{Ref: ref}
			}
			return invoke.Found{Function: &function.Function{Ref: ref}}, nil
		},
	}
	return serve(t, Options{
		Invoker: v, Calls: newCalls(t, v), CallTimes: CallTimes{Keep: time.Hour, KeepDead: time.Hour},
	})
}

func echoing(call invoke.Call) (*sandbox.Result, error) {
	body, err := json.Marshal(map[string]json.RawMessage{"body": call.Request.Body, "header": call.Request.Header})
	return &sandbox.Result{Status: 201, Header: []sandbox.HeaderField{{Name: "X-A", Value: "b"}}, Body: body}, err
}

// async makes an asynchronous call and returns where it can be followed.
func async(t *testing.T, url string, header ...string) (location string) {
	t.Helper()
	res, body := do(t, newRequest(t, "PUT", url+"/functions/ns/id/run", `{"a":1}`,
		append([]string{"Content-Type", "application/json", "Prefer", "respond-async"}, header...)...))
	if res.StatusCode != http.StatusAccepted {
		t.Fatalf("answered %d %s", res.StatusCode, body)
	}
	return url + res.Header.Get("Location")
}

// record waits for the end of a call and returns its record.
func record(t *testing.T, location string) map[string]any {
	t.Helper()
	res, body := do(t, newRequest(t, "GET", location+"?wait=60", ""))
	var c map[string]any
	if err := json.Unmarshal([]byte(body), &c); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("answered %d %s", res.StatusCode, body)
	}
	return c
}

func TestACallerNeedNotWait(t *testing.T) {
	url := queued(t, echoing)
	res, body := do(t, newRequest(t, "PUT", url+"/functions/ns/id/run?x=1", `{"a":1}`, "Content-Type", "application/json",
		"Prefer", "handling=lenient, Respond-Async;x", "Authorization", "Basic c2VjcmV0", "Cookie", "secret=1", "X-B", "c"))
	location := res.Header.Get("Location")
	if res.StatusCode != 202 || res.Header.Get("Preference-Applied") != "respond-async" ||
		!strings.HasPrefix(location, "/functions/ns/id/invocations/") || !strings.Contains(body, `"status":"queued"`) {
		t.Fatalf("answered %d %v %s", res.StatusCode, res.Header, body)
	}
	c := record(t, url+location)
	if c["status"] != "succeeded" || c["result"] != location+"/result" ||
		c["requestID"] != res.Header.Get("X-Request-Id") {
		t.Errorf("the record is %v", c)
	}
	res, body = do(t, newRequest(t, "GET", url+location+"/result", ""))
	if res.StatusCode != 201 || res.Header.Get("X-A") != "b" || !strings.HasPrefix(body, `{"body":{"a":1},`) ||
		!strings.Contains(body, `"x-b":"c"`) || strings.Contains(body, "c2VjcmV0") || strings.Contains(body, "secret=1") {
		t.Errorf("the result is %d %v %s", res.StatusCode, res.Header, body)
	}
}

func TestACallerMayWaitALittle(t *testing.T) {
	release := make(chan struct{})
	url := queued(t, func(call invoke.Call) (*sandbox.Result, error) {
		if strings.Contains(string(call.Request.Body), "slow") {
			<-release
		}
		return echoing(call)
	})
	ask := func(body string) *http.Response {
		res, _ := do(t, newRequest(t, "PUT", url+"/functions/ns/id/run", body, "Content-Type", "application/json",
			"Prefer", "respond-async, wait=1"))
		if applied := res.Header.Get("Preference-Applied"); applied != "respond-async, wait=1" {
			t.Errorf("applied is %q", applied)
		}
		return res
	}
	if res := ask(`{"a":1}`); res.StatusCode != 201 && res.StatusCode != 202 { // 202 on a machine that is very busy
		t.Errorf("answered %d", res.StatusCode)
	}
	if res := ask(`{"a":"slow"}`); res.StatusCode != 202 {
		t.Errorf("answered %d before the call has ended", res.StatusCode)
	}
	close(release)
}

func TestWhoDoesNotAskIsAnsweredAsEver(t *testing.T) {
	url := queued(t, echoing)
	for _, header := range [][]string{
		nil,
		{"Prefer", "wait=10"},
		{"Prefer", "return=minimal"},
		{"Idempotency-Key", `"1"`},
		{"Prefer", "respond-asynchronously"},
	} {
		res, body := do(t, newRequest(t, "PUT", url+"/functions/ns/id/run", "", header...))
		if res.StatusCode != 201 || res.Header.Get("Preference-Applied") != "" {
			t.Errorf("%v: answered %d %s", header, res.StatusCode, body)
		}
	}
	off := serve(t, Options{Invoker: answering(&sandbox.Result{Status: 201}, nil)})
	run := newRequest(t, "PUT", off+"/functions/ns/id/run", "", "Prefer", "respond-async")
	if res, _ := do(t, run); res.StatusCode != 201 {
		t.Errorf("without a queue it is answered %d", res.StatusCode)
	}
	res, body := do(t, newRequest(t, "GET", off+"/functions/ns/id/invocations", ""))
	expect(t, res, body, 404, `{"error":"Cannot GET /functions/ns/id/invocations"}`)
}

func TestACallOfNoFunctionIsNotAccepted(t *testing.T) {
	url := queued(t, echoing)
	res, body := do(t, newRequest(t, "PUT", url+"/functions/ns/missing/run", "", "Prefer", "respond-async"))
	if res.StatusCode != 404 {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
}

func TestARepeatedRequestIsOneCall(t *testing.T) {
	url := queued(t, echoing)
	first := async(t, url, "Idempotency-Key", `"one"`)
	for _, key := range []string{`"one"`, "one"} {
		if again := async(t, url, "Idempotency-Key", key); again != first {
			t.Errorf("%s: %s and %s", key, first, again)
		}
	}
	if other := async(t, url, "Idempotency-Key", "two"); other == first {
		t.Error("two keys are one call")
	}
	for body, header := range map[string][]string{
		`{"a":2}`: {"Idempotency-Key", "one"},
	} {
		res, answer := do(t, newRequest(t, "PUT", url+"/functions/ns/id/run", body,
			append(header, "Content-Type", "application/json", "Prefer", "respond-async")...))
		if res.StatusCode != 422 || !strings.Contains(answer, "idempotency_key_reused") {
			t.Errorf("answered %d %s", res.StatusCode, answer)
		}
	}
	for _, key := range []string{"", `""`, strings.Repeat("k", 256)} {
		res, answer := do(t, newRequest(t, "PUT", url+"/functions/ns/id/run", "", "Prefer", "respond-async",
			"Idempotency-Key", key))
		if res.StatusCode != 400 {
			t.Errorf("key %q: answered %d %s", key, res.StatusCode, answer)
		}
	}
}

func TestACallIsCancelledAndRedriven(t *testing.T) {
	release := make(chan struct{})
	url := queued(t, func(call invoke.Call) (*sandbox.Result, error) {
		<-release
		return echoing(call)
	})
	location := async(t, url)
	res, body := do(t, newRequest(t, "POST", location+"/redrive", ""))
	expect(t, res, body, 409,
		`{"error":"Only an invocation that is dead or cancelled can be redriven","reason":"not_settled"}`)
	for range 2 {
		if res, body := do(t, newRequest(t, "DELETE", location, "")); res.StatusCode != 204 {
			t.Errorf("answered %d %s", res.StatusCode, body)
		}
	}
	if c := record(t, location); c["status"] != "cancelled" {
		t.Errorf("the record is %v", c)
	}
	res, body = do(t, newRequest(t, "GET", location+"/result", ""))
	expect(t, res, body, 409, `{"error":"The call has no result: it is cancelled","reason":"no_result"}`)
	close(release)
	if res, body := do(t, newRequest(t, "POST", location+"/redrive", "")); res.StatusCode != 202 {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	if c := record(t, location); c["status"] != "succeeded" {
		t.Errorf("the record is %v", c)
	}
	res, body = do(t, newRequest(t, "DELETE", location, ""))
	expect(t, res, body, 409,
		`{"error":"The invocation has ended: only one that waits, runs or is dead can be cancelled","reason":"settled"}`)
	for _, request := range []string{"GET /", "DELETE /", "GET /result", "POST /redrive"} {
		method, end, _ := strings.Cut(request, " ")
		path := url + "/functions/ns/id/invocations/none" + strings.TrimSuffix(end, "/")
		res, body := do(t, newRequest(t, method, path, ""))
		expect(t, res, body, 404, `{"error":"Invocation not found, or its record has expired"}`)
	}
}

func TestCallsAreListedByWhatBecameOfThem(t *testing.T) {
	url := queued(t, func(call invoke.Call) (*sandbox.Result, error) {
		if strings.Contains(string(call.Request.Header), "x-fails") {
			return nil, &function.NotFoundError{Ref: call.Ref}
		}
		return echoing(call)
	})
	for _, header := range []string{"X-Fails", "X-Works", "X-Works"} {
		record(t, async(t, url, header, "1"))
	}
	for query, want := range map[string]int{
		"": 3, "?status=dead": 1, "?status=succeeded": 2, "?reason=not_found": 1, "?since=2100-01-01": 0,
		"?since=2020-01-01T00:00:00Z": 3, "?limit=2": 2,
	} {
		res, body := do(t, newRequest(t, "GET", url+"/functions/ns/id/invocations"+query, ""))
		var page struct {
			Items []map[string]any `json:"items"`
			Next  string           `json:"next"`
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || len(page.Items) != want || res.StatusCode != 200 {
			t.Errorf("%s: %d %s", query, res.StatusCode, body)
		}
		if query == "?limit=2" {
			_, body = do(t, newRequest(t, "GET", url+"/functions/ns/id/invocations?cursor="+page.Next, ""))
			if strings.Count(body, `"status"`) < 1 || strings.Contains(body, page.Items[0]["id"].(string)) {
				t.Errorf("the next page is %s", body)
			}
		}
	}
	for _, query := range []string{"?status=lost", "?since=now", "?limit=0", "?limit=101", "?limit=x", "?cursor=x"} {
		if res, body := do(t, newRequest(t, "GET", url+"/functions/ns/id/invocations"+query, "")); res.StatusCode != 400 {
			t.Errorf("%s: %d %s", query, res.StatusCode, body)
		}
	}
}

func TestTooManyCallsAreRefused(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	url := queued(t, func(call invoke.Call) (*sandbox.Result, error) {
		<-release
		return echoing(call)
	})
	for range 3 {
		async(t, url)
	}
	res, body := do(t, newRequest(t, "PUT", url+"/functions/ns/id/run", "", "Prefer", "respond-async"))
	if res.StatusCode != 429 || !strings.Contains(body, `"reason":"calls_full"`) || res.Header.Get("Retry-After") == "" {
		t.Errorf("answered %d %v %s", res.StatusCode, res.Header, body)
	}
}

func TestACallIsFollowedByEvents(t *testing.T) {
	release := make(chan struct{})
	url := queued(t, func(call invoke.Call) (*sandbox.Result, error) {
		<-release
		return echoing(call)
	})
	location := async(t, url)
	res, err := http.DefaultClient.Do(newRequest(t, "GET", location, "", "Accept", "text/event-stream"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	begin := sync.OnceFunc(func() { close(release) })
	var last string
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() { // to the end of the stream
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			last = data
			begin()
		}
	}
	if !strings.Contains(last, `"status":"succeeded"`) {
		t.Errorf("the last event is %s", last)
	}
}

func TestARecordSaysWhoHasCalled(t *testing.T) {
	v := &fakeInvoker{run: echoing, find: func(ref function.Ref) (invoke.Found, error) {
		return invoke.Found{Function: &function.Function{Ref: ref}}, nil
	}}
	g := guard(t, Options{Auth: AuthOn, Invoker: v, Calls: newCalls(t, v), CallTimes: CallTimes{Keep: time.Hour}})
	token := g.key(identity.Invoke, "ns")
	res, body := g.ask(t, "PUT", "/functions/ns/id/run", token, "Prefer", "respond-async")
	if res.StatusCode != 202 {
		t.Fatalf("answered %d %s", res.StatusCode, body)
	}
	_, body = g.ask(t, "GET", res.Header.Get("Location")+"?wait=60", token)
	if !strings.Contains(body, `"caller":"`+g.keys[0].ID+`"`) || strings.Contains(body, token) {
		t.Errorf("the record is %s", body)
	}
	_, body = g.ask(t, "GET", res.Header.Get("Location")+"/result", token)
	if strings.Contains(body, token) {
		t.Errorf("the function has got the key: %s", body)
	}
}

// A call that is queued is the same to its function, and counts for the same limits, as one whose caller waits.
func TestAQueuedCallIsThatOfItsCaller(t *testing.T) {
	var made []invoke.Call
	v := &fakeInvoker{
		run: func(call invoke.Call) (*sandbox.Result, error) {
			made = append(made, call)
			return echoing(call)
		},
		find: func(ref function.Ref) (invoke.Found, error) {
			access := "key"
			f := &function.Function{Ref: ref}
			f.Options.Access = &access
			return invoke.Found{Function: f}, nil
		},
	}
	g := guard(t, Options{Auth: AuthOn, Invoker: v, Calls: newCalls(t, v), CallTimes: CallTimes{Keep: time.Hour}})
	key, token := identity.New(identity.Key{
		Role: identity.Invoke, Namespaces: []identity.Pattern{"ns"},
		Limits: usage.Limits{Rate: usage.Rate{Calls: 1, Per: time.Hour}, Quotas: usage.Quotas{Calls: 2, Egress: 3}},
	})
	g.ring.Set([]identity.Key{key})
	if res, body := g.ask(t, "PUT", "/functions/ns/id/run", token); res.StatusCode != 201 {
		t.Fatalf("answered %d %s", res.StatusCode, body)
	}
	res, _ := g.ask(t, "PUT", "/functions/ns/id/run", token, "Prefer", "respond-async")
	if _, body := g.ask(t, "GET", res.Header.Get("Location")+"?wait=60", token); !strings.Contains(body, `"succeeded"`) {
		t.Fatal(body)
	}
	if made[0].Key != made[1].Key || made[1].Key.Limits != key.Limits || made[1].Key.ID != key.ID {
		t.Errorf("limits are %+v, and of the queued call %+v", made[0].Key, made[1].Key)
	}
	if string(made[0].Request.Auth) != string(made[1].Request.Auth) || made[1].Request.Auth == nil {
		t.Errorf("the caller is %s, and of the queued call %s", made[0].Request.Auth, made[1].Request.Auth)
	}
}

// Whoever needs no key leaves half of the room to those who have one.
func TestCallersWithoutARoleDoNotFillTheQueue(t *testing.T) {
	access := function.AccessPublic
	v := &fakeInvoker{
		run: func(invoke.Call) (*sandbox.Result, error) { return &sandbox.Result{Status: 200}, nil },
		find: func(ref function.Ref) (invoke.Found, error) {
			f := &function.Function{Ref: ref}
			f.Options.Access = &access
			return invoke.Found{Function: f}, nil
		},
	}
	times := CallTimes{Keep: time.Hour, KeepDead: time.Hour}
	public := listed{{Namespace: "ns", ID: "id"}: true}
	g := guard(t, Options{Auth: AuthOn, Invoker: v, Public: public, Calls: newCalls(t, v), CallTimes: times})
	ask := func(key, token string, want int) {
		t.Helper()
		res, body := g.ask(t, "PUT", "/functions/ns/id/run", token, "Prefer", "respond-async", "Idempotency-Key", key)
		if res.StatusCode != want {
			t.Errorf("%s is answered %d %s, not %d", key, res.StatusCode, body, want)
		}
	}
	foreign, own := g.key(identity.Invoke, "other"), g.key(identity.Invoke, "ns")
	ask("1", "", 202)
	ask("2", foreign, 202)
	ask("3", "", 429)
	ask("3", foreign, 429)
	ask("3", own, 202)
	ask("4", own, 429)
	off := serve(t, Options{Invoker: v, Calls: newCalls(t, v), CallTimes: times})
	for _, key := range []string{"1", "2", "3"} {
		async(t, off, "Idempotency-Key", key)
	}
}

// What a function answered is no refusal of the server, and not recorded as one.
func TestResultsAreNoRefusals(t *testing.T) {
	recorder := new(auditor)
	v := &fakeInvoker{
		run: func(invoke.Call) (*sandbox.Result, error) {
			return &sandbox.Result{Status: 403, Body: []byte("1")}, nil
		},
		find: func(ref function.Ref) (invoke.Found, error) {
			return invoke.Found{Function: &function.Function{Ref: ref}}, nil
		},
	}
	url := serve(t, Options{
		Audit: recorder, Invoker: v, Calls: newCalls(t, v), CallTimes: CallTimes{Keep: time.Hour, KeepDead: time.Hour},
	})
	location := async(t, url)
	record(t, location)
	if res, body := do(t, newRequest(t, "GET", location+"/result", "")); res.StatusCode != 403 {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	if records := recorder.take(); len(records) > 0 {
		t.Errorf("recorded are %+v", records)
	}
}

func TestPreferencesAreRead(t *testing.T) {
	for header, want := range map[string]preference{
		"":                                {},
		"respond-async":                   {async: true},
		"RESPOND-ASYNC , Wait = 5":        {async: true, wait: 5 * time.Second},
		`respond-async,wait="7";x=y`:      {async: true, wait: 7 * time.Second},
		"wait=1, wait=2":                  {wait: time.Second},
		"respond-async, wait=1000000":     {async: true, wait: time.Minute},
		"respond-async, wait=-1, wait=x":  {async: true},
		"respond-async=1; foo, handling":  {async: true},
		"xrespond-async, respond-async-x": {},
	} {
		r := newRequest(t, "PUT", "http://localhost/", "", "Prefer", header)
		if got := preferenceOf(r); got != want {
			t.Errorf("%q is read as %+v, want %+v", header, got, want)
		}
	}
}
