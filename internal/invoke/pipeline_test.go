package invoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// step is what one step of a test's pipeline answers.
type step struct {
	status int
	body   string // empty: undefined
}

// newPipeline returns a fixture whose functions p/1, p/2 … answer as told, with the header X-Step: 1, 2 …
func newPipeline(steps []step) (*fixture, []function.Ref) {
	f := newFixture()
	var refs []function.Ref
	for i, s := range steps {
		id := string(rune('1' + i))
		f.source.put("p/"+id, "code", "v1")
		f.pool.answers("p/"+id+".js", s.status, s.body, sandbox.HeaderField{Name: "X-Step", Value: id})
		refs = append(refs, ref("p/"+id))
	}
	return f, refs
}

func TestPipelineRules(t *testing.T) {
	for _, row := range []struct {
		name   string
		steps  []step
		status int
		body   string
		header string // the step whose headers are sent
		bodies string // the request bodies of the steps that ran
		counts string
	}{
		{
			"bodies go on",
			[]step{{200, `{"a":1}`}, {200, `[2]`}, {200, `"3"`}},
			200, `"3"`, "3", `"first" {"a":1} [2]`, "p/1 200, p/2 200, p/3 200, pipeline 200",
		},
		{"undefined goes on as absent", []step{{200, ""}, {200, "1"}}, 200, "1", "2", `"first" -`, "p/1 200, p/2 200, pipeline 200"},
		{"null goes on as null", []step{{200, "null"}, {200, "1"}}, 200, "1", "2", `"first" null`, "p/1 200, p/2 200, pipeline 200"},
		{
			"304 keeps the answer and passes the body on",
			[]step{{200, "1"}, {304, "null"}, {200, "3"}},
			200, "3", "3", `"first" 1 1`, "p/1 200, p/2 304, p/3 200, pipeline 200",
		},
		{
			"304 at the end answers for the step before",
			[]step{{200, "1"}, {304, "null"}},
			200, "1", "2", `"first" 1`, "p/1 200, p/2 304, pipeline 200",
		},
		{"304 twice", []step{{200, "1"}, {304, ""}, {304, ""}}, 200, "1", "3", `"first" 1 1`, "p/1 200, p/2 304, p/3 304, pipeline 200"},
		{"304 first and last", []step{{304, "null"}}, 304, "null", "1", `"first"`, "p/1 304, pipeline 304"},
		{"304 first", []step{{304, "null"}, {200, "2"}}, 200, "2", "2", `"first" "first"`, "p/1 304, p/2 200, pipeline 200"},
		{
			"other status ends it",
			[]step{{200, "1"}, {404, `{"error":"none"}`}, {200, "3"}},
			404, `{"error":"none","namespace":"p","functionId":"2"}`, "2", `"first" 1`, "p/1 200, p/2 404, pipeline 404",
		},
		{"201 is another status", []step{{201, `{}`}, {200, "2"}}, 201, `{"namespace":"p","functionId":"1"}`, "1", `"first"`, "p/1 201, pipeline 201"},
		{"null ends it unharmed", []step{{500, "null"}}, 500, "null", "1", `"first"`, "p/1 500, pipeline 500"},
		{"text ends it unharmed", []step{{500, `"no"`}}, 500, `"no"`, "1", `"first"`, "p/1 500, pipeline 500"},
		{"a list ends it unharmed", []step{{500, `[1]`}}, 500, `[1]`, "1", `"first"`, "p/1 500, pipeline 500"},
		{"undefined ends it unharmed", []step{{204, ""}}, 204, "", "1", `"first"`, "p/1 204, pipeline 204"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f, refs := newPipeline(row.steps)
			call := Call{ID: "id", Request: sandbox.Request{Method: "PUT", Body: json.RawMessage(`"first"`)}}
			result, err := f.Pipeline(t.Context(), refs, call)
			if err != nil {
				t.Fatal(err)
			}
			if result.Status != row.status || string(result.Body) != row.body {
				t.Errorf("answer %d %s, want %d %s", result.Status, result.Body, row.status, row.body)
			}
			if len(result.Header) != 1 || result.Header[0].Value != row.header {
				t.Errorf("headers %v, want those of step %s", result.Header, row.header)
			}
			if got := f.bodies(); got != row.bodies {
				t.Errorf("request bodies %s, want %s", got, row.bodies)
			}
			if got := f.recorder.text(); got != row.counts {
				t.Errorf("counted %q, want %q", got, row.counts)
			}
			one, refs := newPipeline(row.steps)
			if result, err = one.oneByOne(t.Context(), refs, call); err != nil {
				t.Fatal(err)
			}
			if result.Status != row.status || string(result.Body) != row.body || one.bodies() != row.bodies ||
				len(result.Header) != 1 || result.Header[0].Value != row.header {
				t.Errorf("one by one: %d %v %s after %s", result.Status, result.Header, result.Body, one.bodies())
			}
		})
	}
}

// bodies lists the request bodies that were handed to the pool, "-" for an absent one.
func (f *fixture) bodies() string {
	var bodies []string
	for _, inv := range f.pool.seen() {
		body := "-"
		if inv.Request.Body != nil {
			body = string(inv.Request.Body)
		}
		bodies = append(bodies, body)
	}
	return strings.Join(bodies, " ")
}

func TestStepsShareMethodQueryAndHeaders(t *testing.T) {
	f, refs := newPipeline([]step{{200, "1"}, {200, "2"}})
	request := sandbox.Request{Method: "PUT", Header: json.RawMessage(`{"h":"1"}`), Query: json.RawMessage(`{"q":"1"}`)}
	if _, err := f.Pipeline(t.Context(), refs, Call{ID: "id", Request: request}); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, inv := range f.pool.seen() {
		if r := inv.Request; r.Method != "PUT" || string(r.Header) != `{"h":"1"}` || string(r.Query) != `{"q":"1"}` {
			t.Errorf("request of %s: %+v", inv.Filename, r)
		}
		ids[inv.ID] = true
	}
	if len(ids) != 2 {
		t.Errorf("invocation IDs %v", ids)
	}
}

func TestPipelineLeavesTheResultsOfThePoolAlone(t *testing.T) {
	f := newFixture(stored("p/1", "x"), stored("p/2", "x"))
	second := &sandbox.Result{Status: 304, Body: json.RawMessage("null")}
	f.pool.answers("p/1.js", 200, "1")
	f.pool.does("p/2.js", func(*sandbox.Invocation) (*sandbox.Result, error) { return second, nil })
	if _, err := f.Pipeline(t.Context(), []function.Ref{ref("p/1"), ref("p/2")}, Call{}); err != nil {
		t.Fatal(err)
	}
	if second.Status != 304 || string(second.Body) != "null" {
		t.Errorf("result changed to %+v", second)
	}
}

func TestPipelineRunsNothingWhenAStepIsMissing(t *testing.T) {
	f := newFixture(stored("p/1", "x"))
	_, err := f.Pipeline(t.Context(), []function.Ref{ref("p/1"), ref("p/2"), ref("p/3")}, Call{})
	missing, ok := errors.AsType[*function.NotFoundError](err)
	if !ok || missing.Ref != ref("p/2") {
		t.Errorf("error %v, want p/2 missing", err)
	}
	if len(f.pool.seen()) != 0 {
		t.Error("a step ran")
	}
	if got := f.recorder.text(); got != "pipeline 404" {
		t.Errorf("counted %q", got)
	}
}

func TestPipelineWithoutStoreIsNotCounted(t *testing.T) {
	f := newFixture()
	f.source.fail = function.ErrUnavailable
	if _, err := f.Pipeline(t.Context(), []function.Ref{ref("p/1")}, Call{}); !errors.Is(err, function.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	if got := f.recorder.text(); got != "" {
		t.Errorf("counted %q", got)
	}
}

func TestPipelineWithoutStepsIsAnError(t *testing.T) {
	if _, err := newFixture().Pipeline(t.Context(), nil, Call{}); err == nil {
		t.Error("no error")
	}
}

func TestFailedStepEndsThePipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, refs := newPipeline([]step{{200, "1"}, {200, "2"}, {200, "3"}})
		thrown := &sandbox.FunctionError{Status: 422, Message: "no price", Text: "Error: no price", Stack: "Error: no price\n    at p/2.js:1"}
		f.pool.does("p/2.js", func(*sandbox.Invocation) (*sandbox.Result, error) {
			time.Sleep(12 * time.Millisecond)
			return nil, thrown
		})
		_, err := f.Pipeline(t.Context(), refs, Call{})
		if step, ok := errors.AsType[*StepError](err); !ok || step.Ref != ref("p/2") || !errors.Is(err, thrown) {
			t.Errorf("error %v", err)
		}
		if got, want := f.recorder.text(), "p/1 200, p/2 422, pipeline 422"; got != want {
			t.Errorf("counted %q, want %q", got, want)
		}
		want := "p/1: finished 200 after 0s\n" +
			"p/2: error: Failed to run function: no price, 0.012 seconds\n" +
			"p/2: error: Error: no price\n" +
			"p/2: error:     at p/2.js:1\n" +
			"p/2: finished 422 after 12ms"
		if got := f.output.text(); got != want {
			t.Errorf("printed\n%s\nwant\n%s", got, want)
		}
	})
}

func TestStepsAndSetupsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var steps []string
		f, refs := newPipeline([]step{{200, "1"}, {404, "2"}})
		f.stepped = func(_ context.Context, call Call, status int, took time.Duration) {
			steps = append(steps, fmt.Sprint(call.Ref, " ", status, " ", took, " ", call.URI, " ", call.Request.Method))
		}
		f.pool.does("p/1.js", func(*sandbox.Invocation) (*sandbox.Result, error) {
			time.Sleep(12 * time.Millisecond)
			return &sandbox.Result{Status: 200, Body: json.RawMessage("1"), Stats: sandbox.Stats{Load: 5 * time.Millisecond}}, nil
		})
		call := Call{URI: "/functions/pipeline?x", Request: sandbox.Request{Method: "PUT"}}
		if _, err := f.Pipeline(t.Context(), refs, call); err != nil {
			t.Fatal(err)
		}
		want := []string{"p/1 200 12ms /functions/pipeline?x PUT", "p/2 404 0s /functions/pipeline?x PUT"}
		if !slices.Equal(steps, want) {
			t.Errorf("told %q, want %q", steps, want)
		}
		if len(f.recorder.setups) > 0 {
			t.Error("a step was set up")
		}
		f.source.put("p/1", "other code", "v2")
		f.source.getDelay = 7 * time.Millisecond
		f.Changed(function.Change{Ref: refs[0]})
		if _, err := f.Run(t.Context(), Call{Ref: refs[0]}); err != nil || !slices.Equal(f.recorder.setups, []time.Duration{12 * time.Millisecond}) {
			t.Errorf("%v, set up in %v", err, f.recorder.setups)
		}
	})
}

func TestStepIsAddedToObjectsAsAssignmentDoes(t *testing.T) {
	for _, row := range []struct{ body, want string }{
		{`{}`, `{"namespace":"n\"s","functionId":"f"}`},
		{`{ }`, `{ "namespace":"n\"s","functionId":"f"}`},
		{`{"a":{"namespace":1}}`, `{"a":{"namespace":1},"namespace":"n\"s","functionId":"f"}`},
		{`{"functionId":[1,2],"a":1}`, `{"functionId":"f","a":1,"namespace":"n\"s"}`},
		{`{"name\u0073pace": {"x":1} , "b":2}`, `{"name\u0073pace": "n\"s" , "b":2,"functionId":"f"}`},
		{`{"namespace":"","functionId":null}`, `{"namespace":"n\"s","functionId":"f"}`},
		{`[{}]`, `[{}]`},
		{`"{}"`, `"{}"`},
		{`null`, `null`},
		{`1e3`, `1e3`},
		{``, ``},
		{`{"a":`, `{"a":`},
		{`{"a":1`, `{"a":1`},
		{`{"a" 1}`, `{"a" 1}`},
	} {
		if got := string(withStep(json.RawMessage(row.body), function.Ref{Namespace: `n"s`, ID: "f"})); got != row.want {
			t.Errorf("withStep(%s) = %s, want %s", row.body, got, row.want)
		}
	}
}

func TestNoStepBeginsOnceTheCallerHasLeft(t *testing.T) {
	f, refs := newPipeline([]step{{200, "1"}, {200, "2"}})
	ctx, leave := context.WithCancel(t.Context())
	f.pool.does("p/1.js", func(*sandbox.Invocation) (*sandbox.Result, error) {
		leave()
		return &sandbox.Result{Status: 200, Body: json.RawMessage("1")}, nil
	})
	if _, err := f.Pipeline(ctx, refs, Call{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if got, want := f.recorder.text(), "p/1 200, pipeline 499"; got != want {
		t.Errorf("counted %q, want %q", got, want)
	}
}

func TestNoStepBeginsAfterThePipelinesTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, refs := newPipeline([]step{{200, "1"}, {200, "2"}, {200, "3"}})
		f.pipelineTimeout = 10 * time.Second
		for _, id := range []string{"1", "2", "3"} {
			f.pool.does("p/"+id+".js", func(*sandbox.Invocation) (*sandbox.Result, error) {
				time.Sleep(6 * time.Second)
				return &sandbox.Result{Status: 200, Body: json.RawMessage("1"), Stats: sandbox.Stats{Start: sandbox.StartWarm, CPU: time.Duration(id[0])}}, nil
			})
		}
		_, err := f.Pipeline(t.Context(), refs, Call{})
		if !errors.Is(err, ErrPipelineTimeout) {
			t.Errorf("error %v", err)
		}
		if stats := StatsOf(nil, err); stats.Start != sandbox.StartWarm || stats.CPU != time.Duration('2') {
			t.Errorf("stats %+v, want those of the second step", stats)
		}
		if got, want := f.recorder.text(), "p/1 200, p/2 200, pipeline 408"; got != want {
			t.Errorf("counted %q, want %q", got, want)
		}
	})
}

// A pipeline of many large functions does not hold them all from its beginning.
func TestPipelineHoldsLittleOfItsStepsBeforeTheirTurn(t *testing.T) {
	const size, count = 5 << 20, 6
	f, refs := newPipeline(make([]step, count))
	f.cache.kept.limit = size // so that none is kept elsewhere
	for i, r := range refs {
		f.source.put(r.String(), strings.Repeat("x", size), "v1")
		f.pool.answers(r.String()+".js", 200, fmt.Sprint(i))
	}
	entries, err := f.resolve(t.Context(), refs, Found{})
	if err != nil {
		t.Fatal(err)
	}
	var resolved int64
	for _, e := range entries {
		if e != nil {
			resolved += e.size()
		}
	}
	if resolved == 0 || resolved > maxResolvedCode {
		t.Errorf("%d bytes are resolved", resolved)
	}
	result, err := f.Pipeline(t.Context(), refs, Call{})
	if err != nil || string(result.Body) != fmt.Sprint(count-1) || len(f.pool.seen()) != count {
		t.Errorf("%+v, %v after %d calls", result, err, len(f.pool.seen()))
	}
}

func TestStepThatIsGoneBeforeItsTurnEndsThePipeline(t *testing.T) {
	f, refs := newPipeline(make([]step, 5))
	f.cache.kept.limit = 1
	for _, r := range refs {
		f.source.put(r.String(), strings.Repeat("x", 5<<20), "v1")
		f.pool.answers(r.String()+".js", 200, "1")
	}
	f.pool.does("p/1.js", func(*sandbox.Invocation) (*sandbox.Result, error) {
		f.source.remove("p/5")
		return &sandbox.Result{Status: 200, Body: json.RawMessage("1")}, nil
	})
	_, err := f.Pipeline(t.Context(), refs, Call{})
	if missing, ok := errors.AsType[*function.NotFoundError](err); !ok || missing.Ref != refs[4] || len(f.pool.seen()) != 4 {
		t.Errorf("%v after %d calls", err, len(f.pool.seen()))
	}
}
