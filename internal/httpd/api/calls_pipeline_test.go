package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// stepwise is an Invoker whose functions answer with what they got and their names; "fails" throws.
func stepwise(t *testing.T) *fakeInvoker {
	t.Helper()
	return &fakeInvoker{
		run: func(call invoke.Call) (*sandbox.Result, error) {
			if call.Ref.ID == "fails" {
				return nil, &sandbox.FunctionError{Message: "no"}
			}
			body := append(append(append([]byte(`{"`), call.Ref.ID...), `":`...), call.Request.Body...)
			return &sandbox.Result{Status: http.StatusOK, Body: append(body, '}')}, nil
		},
		find: func(ref function.Ref) (invoke.Found, error) {
			if ref.ID == "missing" {
				return invoke.Found{}, &function.NotFoundError{Ref: ref}
			}
			f := &function.Function{Ref: ref}
			f.Options.Retries = &function.Retries{Attempts: 1, Backoff: time.Millisecond, MaxAge: time.Hour}
			if ref.Namespace == "open" {
				access := function.AccessPublic
				f.Options.Access = &access
			}
			return invoke.Found{Function: f}, nil
		},
	}
}

const asyncSteps = "/functions/pipeline?steps[0]=a/one&steps[1]=b/two"

// startSteps queues a pipeline and returns the path of its record.
func (g *guarded) startSteps(t *testing.T, path, token string) string {
	t.Helper()
	res, body := g.ask(t, "PUT", path, token, "Prefer", "respond-async")
	if res.StatusCode != http.StatusAccepted {
		t.Fatalf("answered %d %s", res.StatusCode, body)
	}
	return res.Header.Get("Location")
}

type stepsRecord struct {
	Status string `json:"status"`
	Reason string `json:"reason"`
	Result string `json:"result"`
	Steps  []struct {
		Namespace   string           `json:"namespace"`
		Function    string           `json:"function"`
		Status      string           `json:"status"`
		Reason      string           `json:"reason"`
		MaxAttempts int              `json:"maxAttempts"`
		Attempts    []map[string]any `json:"attempts"`
	} `json:"steps"`
	Attempts []any `json:"attempts"`
}

// recordOf waits for the end of a pipeline.
func (g *guarded) recordOf(t *testing.T, location, token string) (c stepsRecord) {
	t.Helper()
	res, body := g.ask(t, "GET", location+"?wait=60", token)
	if err := json.Unmarshal([]byte(body), &c); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("answered %d %s", res.StatusCode, body)
	}
	return c
}

func TestAPipelineIsQueued(t *testing.T) {
	v := stepwise(t)
	g := guard(t, Options{Invoker: v, Calls: newCalls(t, v), CallTimes: CallTimes{Keep: time.Hour, KeepDead: time.Hour}})
	res, body := do(t, newRequest(t, "PUT", g.url+asyncSteps, `{"x":1}`, "Content-Type", "application/json",
		"Prefer", "respond-async, wait=60"))
	expect(t, res, body, 200, `{"two":{"one":{"x":1}}}`)
	location := g.startSteps(t, asyncSteps+"&steps[2]=c/fails&steps[3]=d/four", "")
	if !strings.HasPrefix(location, "/functions/a/one/invocations/") {
		t.Errorf("the record is %s", location)
	}
	c := g.recordOf(t, location, "")
	if c.Status != "dead" || c.Reason != "thrown" || len(c.Steps) != 4 || c.Attempts != nil {
		t.Fatalf("the record is %+v", c)
	}
	for i, want := range []string{"succeeded", "succeeded", "dead", "waiting"} {
		if c.Steps[i].Status != want || (len(c.Steps[i].Attempts) == 1) != (i < 3) || c.Steps[i].MaxAttempts != 1 {
			t.Errorf("step %d is %+v", i+1, c.Steps[i])
		}
	}
	if c.Steps[1].Namespace != "b" || c.Steps[1].Function != "two" || c.Steps[1].Attempts[0]["status"] != 200.0 ||
		c.Steps[2].Attempts[0]["error"] != "no" || c.Steps[2].Reason != "thrown" {
		t.Errorf("the steps are %+v", c.Steps)
	}
	if res, body := g.ask(t, "GET", c.Result, ""); res.StatusCode != 500 || body != `{"error":"no"}` {
		t.Errorf("the result is %d %s", res.StatusCode, body)
	}
	if res, body := g.ask(t, "POST", location+"/redrive", ""); res.StatusCode != 202 {
		t.Errorf("the redrive is answered %d %s", res.StatusCode, body)
	}
	if c := g.recordOf(t, location, ""); len(c.Steps[0].Attempts) != 1 || len(c.Steps[2].Attempts) != 2 {
		t.Errorf("redriven it is %+v", c)
	}
	if _, body := g.ask(t, "GET", "/functions/a/one/invocations?status=dead", ""); !strings.Contains(body, `"steps":[`) {
		t.Errorf("listed is %s", body)
	}
}

func TestAPipelineThatCannotRunIsNotQueued(t *testing.T) {
	v := stepwise(t)
	g := guard(t, Options{Invoker: v, Calls: newCalls(t, v), MaxSteps: 3})
	for query, status := range map[string]int{
		"": 400, "?steps[0]=a/one&steps[1]=a/missing": 404, "?steps[25]=a/missing": 400,
		"?steps[]=a/1&steps[]=a/1&steps[]=a/1&steps[]=a/1": 400,
	} {
		at, plain := g.ask(t, "PUT", "/functions/pipeline"+query, "", "Prefer", "respond-async")
		if at.StatusCode != status || at.Header.Get("Location") != "" {
			t.Errorf("%s: %d %s", query, at.StatusCode, plain)
		}
	}
}

func TestARepeatedPipelineIsOne(t *testing.T) {
	v := stepwise(t)
	g := guard(t, Options{Invoker: v, Calls: newCalls(t, v), CallTimes: CallTimes{Keep: time.Hour}})
	ask := func(path string) (int, string) {
		res, _ := g.ask(t, "PUT", path, "", "Prefer", "respond-async", "Idempotency-Key", "k")
		return res.StatusCode, res.Header.Get("Location")
	}
	_, first := ask(asyncSteps)
	if status, again := ask(asyncSteps); status != 202 || again != first {
		t.Errorf("%d %s after %s", status, again, first)
	}
	if status, _ := ask(asyncSteps + "&steps[2]=c/three"); status != 422 {
		t.Errorf("another pipeline with the key is answered %d", status)
	}
	if status, other := ask("/functions/a/one/run"); status != 202 || other == first {
		t.Errorf("a call of its first step with the key is answered %d %s", status, other)
	}
}

// Who may do something with the record of a pipeline may do it in the namespace of each step.
func TestARecordOfAPipelineNeedsEachNamespace(t *testing.T) {
	v := stepwise(t)
	g := guard(t, Options{
		Auth: AuthOn, Invoker: v, Calls: newCalls(t, v), CallTimes: CallTimes{Keep: time.Hour, KeepDead: time.Hour},
		Public: listed{{Namespace: "open", ID: "three"}: true},
	})
	both, first := g.key(identity.Invoke, "a", "b"), g.key(identity.Invoke, "a")
	deploysFirst, deploysBoth := g.key(identity.Deploy, "a"), g.key(identity.Deploy, "a", "b", "open")
	if res, _ := g.ask(t, "PUT", asyncSteps, first, "Prefer", "respond-async"); res.StatusCode != 403 {
		t.Errorf("a pipeline with a namespace of others is answered %d", res.StatusCode)
	}
	location := g.startSteps(t, asyncSteps+"&steps[2]=open/three", both)
	g.recordOf(t, location, both)
	for _, row := range []struct {
		request, token string
		status         int
	}{
		{"GET ", first, 403},
		{"GET ", deploysFirst, 403},
		{"GET ", "", 401},
		{"GET /result", first, 403},
		{"GET /result", both, 200},
		{"GET ", deploysBoth, 200},
		{"DELETE ", first, 403},
		{"DELETE ", both, 409},
		{"POST /redrive", deploysFirst, 403},
		{"POST /redrive", deploysBoth, 409},
	} {
		method, path, _ := strings.Cut(row.request, " ")
		if res, body := g.ask(t, method, location+path, row.token); res.StatusCode != row.status {
			t.Errorf("%s is answered %d %s, want %d", row.request, res.StatusCode, body, row.status)
		}
		if res, body := g.ask(t, "GET", location, row.token, "Accept", "text/event-stream"); strings.Contains(body, `"steps"`) !=
			(row.token == both || row.token == deploysBoth) {
			t.Errorf("events are answered %d %s", res.StatusCode, body)
		}
	}
	for token, seen := range map[string]bool{deploysFirst: false, deploysBoth: true} {
		if _, body := g.ask(t, "GET", "/functions/a/one/invocations", token); strings.Contains(body, `"steps":[`) != seen {
			t.Errorf("listed is %s", body)
		}
	}
}
