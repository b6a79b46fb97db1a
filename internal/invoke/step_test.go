package invoke

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// oneByOne runs the steps as a queue does: each with nothing but what the one before has left.
func (f *fixture) oneByOne(ctx context.Context, steps []function.Ref, call Call) (*sandbox.Result, error) {
	c := StepCall{Call: call, Steps: steps}
	for c.Number = 1; ; c.Number++ {
		did, err := f.Step(ctx, c)
		if err != nil || did.Ended {
			return did.Result, err
		}
		c.Request, c.Type, c.Status = did.Request, did.Type, did.Status
	}
}

func TestStepsOneByOneGetTheirOwnAttempts(t *testing.T) {
	f, refs := newPipeline([]step{{200, "1"}, {200, "2"}})
	thrown := &sandbox.FunctionError{Message: "no"}
	f.pool.fails("p/2.js", thrown)
	c := StepCall{Call: Call{ID: "id", Request: sandbox.Request{Method: "PUT"}}, Steps: refs, Number: 1}
	first, err := f.Step(t.Context(), c)
	if err != nil || first.Ended || string(first.Request.Body) != "1" || first.Status != 200 || first.Request.Method != "PUT" {
		t.Fatalf("%+v, %v", first, err)
	}
	c.Request, c.Type, c.Status, c.Number = first.Request, first.Type, first.Status, 2
	_, err = f.Step(t.Context(), c)
	if step, ok := errors.AsType[*StepError](err); !ok || step.Ref != refs[1] || !errors.Is(err, thrown) {
		t.Errorf("error %v", err)
	}
	f.pool.answers("p/2.js", 200, "2")
	if last, err := f.Step(t.Context(), c); err != nil || !last.Ended || string(last.Result.Body) != "2" {
		t.Errorf("%+v, %v", last, err)
	}
	if got, want := f.bodies(), "- 1 1"; got != want {
		t.Errorf("request bodies %s, want %s", got, want)
	}
	f.source.remove("p/2")
	f.Changed(function.Change{Ref: refs[1]})
	if _, err := f.Step(t.Context(), c); !errors.Is(err, function.ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

// What a step streams is kept for the next one; a step that ends the pipeline streams to who takes its answer.
func TestStepsOneByOneKeepStreams(t *testing.T) {
	f, refs := newPipeline([]step{{200, "1"}, {200, "2"}})
	raw := function.BodyRaw
	takes := stored("p/2", "x")
	takes.Options.Body = &raw
	f.source.functions[refs[1]] = takes
	head := sandbox.StreamHead{Status: 200, Header: []sandbox.HeaderField{{Name: "Content-Type", Value: "image/png"}}}
	f.pool.does("p/1.js", func(inv *sandbox.Invocation) (*sandbox.Result, error) {
		to, err := inv.OnHead(head)
		if err != nil {
			return nil, err
		}
		_, err = to.Write([]byte("\x89PNG"))
		return &sandbox.Result{Status: 200, Header: head.Header, Streamed: true}, err
	})
	c := StepCall{Call: Call{Request: sandbox.Request{Method: "PUT", Header: []byte(`{"a":"b"}`)}}, Steps: refs, Number: 1}
	c.OnHead = func(sandbox.StreamHead) (io.Writer, error) {
		return nil, errors.New("a step between streams to its caller")
	}
	did, err := f.Step(t.Context(), c)
	if err != nil || string(did.Request.Raw) != "\x89PNG" || !did.Request.HasRaw || did.Type != "image/png" {
		t.Fatalf("%+v, %v", did, err)
	}
	c.Request, c.Type, c.Status, c.Number = did.Request, did.Type, did.Status, 2
	if _, err := f.Step(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	got := f.pool.seen()[1].Request
	want := `{"a":"b","content-type":"image/png","content-length":"4"}`
	if string(got.Raw) != "\x89PNG" || string(got.Header) != want {
		t.Errorf("the second step got %s %q", got.Header, got.Raw)
	}
	takes.Options.Body = nil
	f.source.functions[refs[1]] = takes
	f.Changed(function.Change{Ref: refs[1]})
	if _, err := f.Step(t.Context(), c); !errors.Is(err, ErrBytes) {
		t.Errorf("error %v", err)
	}
}

func TestAFailureTellsOfTheStepBefore(t *testing.T) {
	f, refs := newPipeline([]step{{200, `{"a":1}`}, {200, "2"}})
	reports := make(chan Failure, 1)
	f.reporter = reportTo(reports)
	f.pool.fails("p/2.js", &sandbox.FunctionError{Message: "no"})
	call := Call{Request: sandbox.Request{Method: "PUT", Body: json.RawMessage("0")}}
	if _, err := f.oneByOne(t.Context(), refs, call); err == nil {
		t.Fatal("no error")
	}
	got := <-reports
	if len(got.Earlier) != 1 || got.Earlier[0].Ref != refs[0] || string(got.Earlier[0].Body) != `{"a":1}` ||
		got.Earlier[0].Status != 200 || string(got.Call.Request.Body) != `{"a":1}` {
		t.Errorf("reported %+v", got)
	}
}

type reportTo chan Failure

func (r reportTo) Report(f *Failure) { r <- *f }
