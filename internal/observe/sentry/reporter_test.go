package sentry

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

var _ invoke.Reporter = (*Reporter)(nil)

func TestFailureGoesToItsOwnProjectAndToTheServers(t *testing.T) {
	fake := newFakeSentry(t)
	own, namespace, server := fake.dsn("own", "1"), fake.dsn("ns", "2"), fake.dsn("server", "3")
	for _, row := range []struct {
		name, own, namespace, server string
		want                         []string
	}{
		{"nobody", "", "", "", nil},
		{"function", own, "", "", []string{"1"}},
		{"function before namespace", own, namespace, "", []string{"1"}},
		{"namespace", "", namespace, "", []string{"2"}},
		{"server", "", "", server, []string{"3"}},
		{"both", own, namespace, server, []string{"1", "3"}},
		{"no DSN at all", "nonsense", "", server, []string{"3"}},
		{"DSN without a project", "https://key@host", "", server, []string{"3"}},
		{"DSN with a control character", "http://a%0d%0ab@127.0.0.1:1/1", "", server, []string{"3"}},
		{"unreachable", "http://key@127.0.0.1:1/1", "", server, []string{"3"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newReporter(t, Options{DSN: row.server})
			r.Report(failure(row.own, row.namespace))
			r.Close()
			got := fake.all()
			if len(got) != len(row.want) {
				t.Fatalf("%d events, want %v", len(got), row.want)
			}
			ids := map[any]bool{}
			projects := map[string]bool{}
			for _, d := range got {
				ids[d.event["event_id"]] = true
				projects[strings.Split(d.path, "/")[2]] = true
				if d.header["event_id"] != d.event["event_id"] || !strings.Contains(d.auth, "sentry_version=7") {
					t.Errorf("header %v, %s", d.header, d.auth)
				}
			}
			for _, want := range row.want {
				if !projects[want] {
					t.Errorf("nothing came to project %s", want)
				}
			}
			if len(ids) != len(got) {
				t.Error("two events share an ID")
			}
		})
	}
}

func TestEventTellsOfTheFunctionAlone(t *testing.T) {
	fake := newFakeSentry(t)
	r := newReporter(t, Options{Modules: map[string]string{"lodash": "4.17.21"}})
	f := failure(fake.dsn("key", "1"), "")
	f.Fields = map[string]json.RawMessage{"full_message": json.RawMessage(`"error: x\n"`), "status": json.RawMessage(`500`)}
	f.Earlier = []invoke.Step{
		{Ref: function.Ref{Namespace: "a", ID: "one"}, Status: 200, Body: json.RawMessage(`{"x":1}`), Time: time.Unix(1000, 0)},
		{Ref: function.Ref{Namespace: "a", ID: "two"}, Status: 304, Time: time.Unix(1001, 0)},
	}
	r.Report(f)
	r.Close()
	got := fake.all()
	if len(got) != 1 || got[0].path != "POST /api/1/envelope/" {
		t.Fatalf("got %v", got)
	}
	event := got[0].event
	if stamp, _ := event["timestamp"].(string); len(stamp) != len("2006-01-02T15:04:05Z") {
		t.Errorf("timestamp %v", event["timestamp"])
	}
	for _, name := range []string{"event_id", "timestamp", "server_name", "sdk", "user"} {
		if event[name] == nil {
			t.Errorf("no %s", name)
		}
		delete(event, name)
	}
	var want map[string]any
	if err := json.Unmarshal([]byte(`{
		"message": "shop/price.js: TypeError: Cannot read property 'b' of undefined",
		"culprit": "shop/price.js: price at helper",
		"level": "error", "platform": "node", "modules": {"lodash": "4.17.21"},
		"tags": {"codeHash": "`+f.Function.Hash+`"},
		"extra": {"body": {"n": 1}, "full_message": "error: x\n", "status": 500, "requestId": "call-1"},
		"breadcrumbs": [
			{"category": "step", "message": "a/one.js", "level": "info", "timestamp": "1970-01-01T00:16:40Z", "data": {"status": 200, "body": "{\"x\":1}"}},
			{"category": "step", "message": "a/two.js", "level": "info", "timestamp": "1970-01-01T00:16:41Z", "data": {"status": 304, "body": ""}}
		],
		"exception": [{"type": "TypeError", "value": "Cannot read property 'b' of undefined", "stacktrace": {"frames": [
			{"filename": "shop/price.js", "module": "price", "function": "main", "lineno": 6, "colno": 3, "in_app": true,
			 "context_line": "  helper({});",
			 "pre_context": ["function helper(x) {", "  return x.a.b;", "}", "", "function main(req, res) {"], "post_context": ["}"]},
			{"filename": "shop/price.js", "module": "price", "function": "helper", "lineno": 2, "colno": 14, "in_app": true,
			 "context_line": "  return x.a.b;",
			 "pre_context": ["function helper(x) {"], "post_context": ["}", "", "function main(req, res) {", "  helper({});", "}"]}
		]}}]
	}`), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(event, want) {
		text, _ := json.MarshalIndent(event, "", " ")
		t.Errorf("event\n%s", text)
	}
}

func TestDeathHasNoFramesAndNoDetail(t *testing.T) {
	fake := newFakeSentry(t)
	r := newReporter(t, Options{DSN: fake.dsn("key", "1")})
	f := failure("", "")
	f.Err, f.Text = &sandbox.DeathError{Reason: sandbox.ReasonDeadline, Detail: "secret"}, "Error: Function timeout"
	r.Report(f)
	r.Close()
	event := fake.all()[0].event
	text, err := json.Marshal(event)
	if err != nil || strings.Contains(string(text), "secret") {
		t.Errorf("%v: %s", err, text)
	}
	if event["culprit"] != "shop/price.js" || event["message"] != "shop/price.js: Error: Function timeout" {
		t.Errorf("event %s", text)
	}
}

func TestLargeValuesAreCut(t *testing.T) {
	fake := newFakeSentry(t)
	r := newReporter(t, Options{DSN: fake.dsn("key", "1")})
	f := failure("", "")
	f.Text = "Error: " + strings.Repeat("é", 1<<20)
	f.Function.Code = strings.Repeat(strings.Repeat("x", 1<<18)+"\n", 8)
	f.Call.Request.Body = json.RawMessage(`"` + strings.Repeat("é", 1<<19) + `"`)
	for range 1000 {
		f.Earlier = append(f.Earlier, invoke.Step{Status: 500, Body: f.Call.Request.Body})
	}
	r.Report(f)
	r.Close()
	event := fake.all()[0].event
	text, err := json.Marshal(event)
	if err != nil || len(text) > 400<<10 {
		t.Errorf("%v: an event of %d bytes", err, len(text))
	}
	if strings.Contains(string(text), "\ufffd") {
		t.Error("half a character is left")
	}
}

func TestWrongServerAddressIsRefusedAtTheStart(t *testing.T) {
	if r, err := New(Options{DSN: "nonsense"}); err == nil {
		r.Close()
		t.Error("no error")
	}
}

func TestProjectThatRefusesIsLeftAlone(t *testing.T) {
	for _, row := range []struct {
		name, header, value string
		status              int
		events              int // of two reports
	}{
		{"taken", "", "", 200, 2},
		{"too many", "Retry-After", "60", 429, 1},
		{"limited", "X-Sentry-Rate-Limits", "60:transaction:key, 60:error;default:organization", 200, 1},
		{"limited for all", "X-Sentry-Rate-Limits", "60::key", 200, 1},
		{"others limited", "X-Sentry-Rate-Limits", "60:transaction:key", 200, 2},
		{"gone", "", "", 404, 1},
		{"elsewhere", "Location", "http://127.0.0.1:1/", 302, 1},
		{"broken", "", "", 500, 1},
		{"too large", "", "", 413, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			fake := newFakeSentry(t)
			fake.answer = func(w http.ResponseWriter) {
				if row.header != "" {
					w.Header().Set(row.header, row.value)
				}
				w.WriteHeader(row.status)
			}
			r := newReporter(t, Options{DSN: fake.dsn("key", "1")})
			for range 2 {
				report, err := newReport(project{dsn: r.server}, newEvent(failure("", ""), nil))
				if err != nil {
					t.Fatal(err)
				}
				if r.sender.backoffs.active(r.server.String()) {
					break
				}
				backoff, _ := r.sender.deliver(report)
				if backoff > 0 {
					r.sender.backoffs.set(r.server.String(), backoff)
				}
			}
			if got := fake.all(); len(got) != row.events {
				t.Errorf("%d events, want %d", len(got), row.events)
			}
		})
	}
}

func TestRestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r backoffs
		r.set("a", time.Minute)
		if !r.active("a") || r.active("b") {
			t.Error("not at backoff, or another is")
		}
		time.Sleep(time.Minute)
		if r.active("a") || len(r.until) != 0 {
			t.Error("still at backoff")
		}
	})
}

// stuck is a transport that answers when its request ends.
type stuck struct{}

func (stuck) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestReportNeverWaitsAndCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := New(Options{DSN: "http://key@127.0.0.1:1/1", Transport: stuck{}})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for range serverQueueSize + 100 {
			r.Report(failure("", ""))
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("reporting took %v", took)
		}
		r.Close()
		if took := time.Since(start); took > closeTimeout {
			t.Errorf("closing took %v", took)
		}
		r.Report(failure("", "")) // after the end: dropped
		r.Close()
	})
}
