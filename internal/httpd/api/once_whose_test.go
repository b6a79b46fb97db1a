package api

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

func TestAKeyIsOfItsCaller(t *testing.T) {
	var runs atomic.Int64
	v := onceInvoker(counting(&runs))
	times := CallTimes{Keep: time.Hour, KeepDead: time.Hour}
	g := guard(t, Options{Auth: AuthOn, Invoker: v, Calls: newCalls(t, v), CallTimes: times})
	one, other := g.key(identity.Invoke, "ns"), g.key(identity.Invoke, "ns")
	for _, row := range []struct {
		token, replayed string
	}{{one, ""}, {other, ""}, {one, "true"}, {other, "true"}} {
		res, body := g.ask(t, "PUT", "/functions/ns/id/run", row.token, "Idempotency-Key", "k")
		if got := res.Header.Get("Idempotent-Replayed"); res.StatusCode != 201 || got != row.replayed {
			t.Errorf("answered %d %q %s", res.StatusCode, got, body)
		}
	}
	if runs.Load() != 2 {
		t.Errorf("it ran %d times", runs.Load())
	}
}

// TestWhatACallerShowsTheFunctionBelongsToTheRequest: the server knows no callers, the function may.
func TestWhatACallerShowsTheFunctionBelongsToTheRequest(t *testing.T) {
	var runs atomic.Int64
	url := once(t, counting(&runs)) + "/functions/ns/id/run"
	mine := []string{"Idempotency-Key", "k", "Authorization", "Bearer mine", "Cookie", "a=1"}
	for _, row := range []struct {
		status int
		header []string
	}{
		{201, mine},
		{201, mine},
		{422, []string{"Idempotency-Key", "k"}},
		{422, []string{"Idempotency-Key", "k", "Authorization", "Bearer other", "Cookie", "a=1"}},
		{422, []string{"Idempotency-Key", "k", "Authorization", "Bearer mine", "Cookie", "a=2"}},
	} {
		if res, body := runWith(t, url, "", row.header...); res.StatusCode != row.status {
			t.Errorf("%v: answered %d %s", row.header, res.StatusCode, body)
		}
	}
	ranOnce(t, &runs)
}

// TestOneCallerMayStandForMany: what a caller with a key shows the function belongs to the request, too.
func TestOneCallerMayStandForMany(t *testing.T) {
	var runs atomic.Int64
	v := onceInvoker(counting(&runs))
	times := CallTimes{Keep: time.Hour, KeepDead: time.Hour}
	g := guard(t, Options{Auth: AuthOn, Invoker: v, Calls: newCalls(t, v), CallTimes: times})
	token := g.key(identity.Invoke, "ns")
	for _, row := range []struct {
		status int
		cookie string
	}{{201, "user=1"}, {201, "user=1"}, {422, "user=2"}} {
		res, body := g.ask(t, "PUT", "/functions/ns/id/run", token, "Idempotency-Key", "k", "Cookie", row.cookie)
		if res.StatusCode != row.status {
			t.Errorf("%s: answered %d %s", row.cookie, res.StatusCode, body)
		}
	}
	ranOnce(t, &runs)
}

// TestTheHostOfARouteBelongsToTheRequest: one function may serve many hosts. A run by name may come to any server.
func TestTheHostOfARouteBelongsToTheRequest(t *testing.T) {
	var runs atomic.Int64
	v := onceInvoker(counting(&runs))
	url := serve(t, Options{
		Invoker: v, Calls: newCalls(t, v), CallTimes: CallTimes{Keep: time.Hour, KeepDead: time.Hour},
		Routes: tableOf(t, "/x"),
	})
	for _, row := range []struct {
		path, host string
		status     int
	}{
		{"/x", "a.example.org", 201},
		{"/x", "A.example.org", 201},
		{"/x", "b.example.org", 422},
		{"/functions/ns/id/run", "a.example.org", 201},
		{"/functions/ns/id/run", "b.example.org", 201},
	} {
		req := newRequest(t, "PUT", url+row.path, "", "Idempotency-Key", "k")
		req.Host = row.host
		if res, body := do(t, req); res.StatusCode != row.status {
			t.Errorf("%s of %s: answered %d %s", row.path, row.host, res.StatusCode, body)
		}
	}
	if runs.Load() != 2 {
		t.Errorf("it ran %d times", runs.Load())
	}
}

// TestAFunctionCannotSayWhatWasKept: it may have the header from another server that it asks.
func TestAFunctionCannotSayWhatWasKept(t *testing.T) {
	url := once(t, func(invoke.Call) (*sandbox.Result, error) {
		header := fields("X-A", "b", "idempotent-replayed", "perhaps", "Idempotent-Replayed", "never")
		return &sandbox.Result{Status: 200, Header: header, Body: []byte("1")}, nil
	}) + "/functions/ns/id/run"
	runWith(t, url, "", "Idempotency-Key", "k")
	res, body := runWith(t, url, "", "Idempotency-Key", "k")
	if got := res.Header["Idempotent-Replayed"]; len(got) != 1 || got[0] != "true" || res.Header.Get("X-A") != "b" {
		t.Errorf("what was kept is answered %d %v %s", res.StatusCode, res.Header, body)
	}
}
