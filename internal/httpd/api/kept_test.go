package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/sandbox"
)

// keeping is a store with a record of a function, which has that request ID.
func keeping(t *testing.T, requests ...string) *mem.Store {
	t.Helper()
	s := mem.New()
	for _, request := range requests {
		keepCall(t, s, request)
	}
	return s
}

func keepCall(t *testing.T, s *mem.Store, request string) *queue.Kept {
	t.Helper()
	now := time.Now()
	k := &queue.Kept{
		ID: uuid.Must(uuid.NewV7()).String(), Ref: function.Ref{Namespace: "a", ID: "id"}, Kind: queue.KindPipeline, Step: 2,
		Status: queue.Failed, Reason: "thrown", Caller: "key1", RequestID: request, Start: now, End: now.Add(time.Second),
		Expires: now.Add(time.Hour), Detail: []byte(`{"status":500,"error":"no"}`), Output: []byte(`{"stack":"secret"}`),
	}
	limits := queue.KeptLimits{Calls: 1000, Bytes: 1 << 20, Age: time.Hour}
	if err := s.AppendKept(t.Context(), []*queue.Kept{k}, limits); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestARecordIsFoundByTheRequestID(t *testing.T) {
	s := keeping(t)
	k := keepCall(t, s, "req-1")
	url := serve(t, Options{Kept: s})
	for _, id := range []string{k.ID, "req-1", "req-1?wait=30"} {
		res, body := do(t, newRequest(t, "GET", url+"/functions/a/id/invocations/"+id, ""))
		var got map[string]any
		if err := json.Unmarshal([]byte(body), &got); err != nil || res.StatusCode != 200 {
			t.Fatalf("%s: answered %d %s", id, res.StatusCode, body)
		}
		attempt := got["attempts"].([]any)[0].(map[string]any) //nolint:forcetypeassert // else it fails, as it should
		if got["id"] != k.ID || got["status"] != "failed" || got["kind"] != "pipeline" || got["step"] != 2.0 ||
			got["requestID"] != "req-1" || got["caller"] != "key1" || attempt["error"] != "no" || attempt["start"] == nil ||
			!strings.Contains(body, `"output":{"stack":"secret"}`) {
			t.Errorf("%s: it is %s", id, body)
		}
	}
	res, body := do(t, newRequest(t, "GET", url+"/functions/a/id/invocations/req-1", "", "Accept", "text/event-stream"))
	if res.StatusCode != 200 || !strings.Contains(body, "event: state\ndata: {\"id\":\""+k.ID) {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	for _, row := range []struct {
		method, path string
		status       int
		reason       string
	}{
		{"GET", "/functions/a/id/invocations/req-1/result", 409, "no_result"},
		{"DELETE", "/functions/a/id/invocations/req-1", 409, "settled"},
		{"POST", "/functions/a/id/invocations/req-1/redrive", 409, "not_settled"},
		{"POST", "/functions/a/id/invocations/req-1/callback/redrive", 409, "no callback that is dead"},
		{"GET", "/functions/a/id/invocations/req-2", 404, ""},
		{"GET", "/functions/a/other/invocations/req-1", 404, ""},
		{"GET", "/functions/a/id/invocations/req-2/result", 404, ""},
		{"DELETE", "/functions/a/id/invocations/req-2", 404, ""},
		{"POST", "/functions/a/id/invocations/req-2/redrive", 404, ""},
		{"POST", "/functions/a/id/invocations/req-2/callback/redrive", 404, ""},
	} {
		res, body := do(t, newRequest(t, row.method, url+row.path, ""))
		if res.StatusCode != row.status || !strings.Contains(body, row.reason) {
			t.Errorf("%s %s: answered %d %s", row.method, row.path, res.StatusCode, body)
		}
	}
	res, body = do(t, newRequest(t, "PUT", url+"/functions/a/id/run", "", "Prefer", "respond-async"))
	if res.StatusCode == http.StatusAccepted {
		t.Errorf("without a queue a call is accepted: %s", body)
	}
}

// Request IDs can be guessed, and what a function prints is for those who may read its output.
func TestWhoSeesRecords(t *testing.T) {
	s := keeping(t, "req-1")
	public := function.AccessPublic
	found := func(ref function.Ref) (invoke.Found, error) {
		return invoke.Found{Function: &function.Function{Ref: ref, Options: function.Options{Access: &public}}}, nil
	}
	g := guard(t, Options{
		Auth: AuthOn, Kept: s, Invoker: &fakeInvoker{find: found},
		Public: listed{{Namespace: "a", ID: "id"}: true},
	})
	for name, row := range map[string]struct {
		token  string
		status int
		output bool
	}{
		"nobody":             {"", 404, false},
		"elsewhere":          {g.key(identity.Deploy, "b"), 404, false},
		"may call":           {g.key(identity.Invoke, "a"), 200, false},
		"may deploy":         {g.key(identity.Deploy, "a"), 200, true},
		"is administrator":   {g.key(identity.Admin, "*"), 200, true},
		"may call elsewhere": {g.key(identity.Invoke, "b"), 404, false},
	} {
		var header []string
		if row.token != "" {
			header = []string{"Authorization", "Bearer " + row.token}
		}
		res, body := do(t, newRequest(t, "GET", g.url+"/functions/a/id/invocations/req-1", "", header...))
		if res.StatusCode != row.status || strings.Contains(body, "secret") != row.output {
			t.Errorf("%s: answered %d %s", name, res.StatusCode, body)
		}
	}
}

func TestThePortOfRunsShowsNoRecords(t *testing.T) {
	handlers := New(Options{Store: newFakeStore(), Invoker: &fakeInvoker{}, Kept: keeping(t, "req-1")})
	for name, row := range map[string]struct {
		handler http.Handler
		status  int
	}{"api": {handlers.API, 200}, "run": {handlers.Run, 404}} {
		w := httptest.NewRecorder()
		row.handler.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/functions/a/id/invocations/req-1", nil))
		if w.Code != row.status {
			t.Errorf("%s: answered %d %s", name, w.Code, w.Body)
		}
	}
}

// Records of both kinds are one list, in which nothing is missing and nothing comes twice.
func TestRecordsAreOneList(t *testing.T) {
	s := keeping(t)
	v := &fakeInvoker{
		run: func(invoke.Call) (*sandbox.Result, error) { return &sandbox.Result{Status: 200}, nil },
		find: func(ref function.Ref) (invoke.Found, error) {
			return invoke.Found{Function: &function.Function{Ref: ref}}, nil
		},
	}
	e := newCalls(t, v)
	e.Limits = queue.Limits{Calls: 1000, Bytes: 1 << 30}
	url := serve(t, Options{
		Invoker: v, Calls: e, Kept: s, CallTimes: CallTimes{Keep: time.Hour, KeepDead: time.Hour},
	})
	var want []string
	for i := range 30 {
		if i%3 == 0 {
			res, body := do(t, newRequest(t, "PUT", url+"/functions/a/id/run", "", "Prefer", "respond-async"))
			if res.StatusCode != 202 {
				t.Fatalf("answered %d %s", res.StatusCode, body)
			}
			location := res.Header.Get("Location")
			record(t, url+location)
			want = append(want, location[strings.LastIndex(location, "/")+1:])
		} else {
			want = append(want, keepCall(t, s, fmt.Sprint("r", i)).ID)
		}
	}
	for _, limit := range []int{1, 4, 7, 30, 100} {
		left, cursor := want, ""
		for pages := 0; ; pages++ {
			query := fmt.Sprint(url, "/functions/a/id/invocations?limit=", limit, "&cursor=", cursor)
			res, body := do(t, newRequest(t, "GET", query, ""))
			var page struct {
				Items []struct{ ID string }
				Next  string
			}
			if err := json.Unmarshal([]byte(body), &page); err != nil || res.StatusCode != 200 || pages > 100 {
				t.Fatalf("answered %d %s", res.StatusCode, body)
			}
			for _, item := range page.Items {
				if len(left) == 0 || item.ID != left[len(left)-1] {
					t.Fatalf("limit %d: %s is out of order", limit, item.ID)
				}
				left = left[:len(left)-1]
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if len(left) != 0 {
			t.Errorf("limit %d: %d are missing", limit, len(left))
		}
	}
	for query, n := range map[string]int{
		"status=failed": 20, "status=succeeded": 10, "reason=thrown": 20, "status=dead": 0,
	} {
		_, body := do(t, newRequest(t, "GET", url+"/functions/a/id/invocations?limit=100&"+query, ""))
		if got := strings.Count(body, `"maxAttempts"`); got != n {
			t.Errorf("%s: there are %d", query, got)
		}
	}
}
