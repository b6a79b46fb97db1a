package trace

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/store/hook"
	"github.com/backstage/functions/sandbox"
)

var (
	_ invoke.Tracer = (*Tracer)(nil)
	_ invoke.Span   = (*runSpan)(nil)
)

var call = invoke.Call{ID: "call-1", Ref: function.Ref{Namespace: "shop", ID: "price"}}

func TestRunShowsQueueAndWorker(t *testing.T) {
	f := newFixture(t, Options{})
	_, span := f.Run(t.Context(), call)
	span.Line(sandbox.LogLine{Level: "error", Text: "one"})
	span.End(invoke.Ending{Status: 201, Stats: sandbox.Stats{Start: sandbox.StartCold, Queue: time.Minute, Run: time.Hour}})
	run := f.span(t, "run function")
	want := map[string]string{
		"function.namespace": "shop", "function.id": "price", "http.request_id": "call-1", "function.start": "cold", "http.status_code": "201",
	}
	if got := tags(run.Attributes); !maps.Equal(got, want) || run.Status.Code != codes.Unset {
		t.Errorf("span %v %v", got, run.Status)
	}
	if len(run.Events) != 1 || !maps.Equal(tags(run.Events[0].Attributes), map[string]string{"level": "error", "message": "one"}) {
		t.Errorf("events %v", run.Events)
	}
	queue, worker := f.span(t, "queue"), f.span(t, "run")
	if queue.Parent.SpanID() != run.SpanContext.SpanID() || worker.Parent.SpanID() != run.SpanContext.SpanID() {
		t.Error("not below the run")
	}
	if queue.EndTime.Sub(queue.StartTime) != time.Minute || worker.EndTime.Sub(worker.StartTime) != time.Hour || worker.StartTime != queue.EndTime {
		t.Errorf("queue %v to %v, run %v to %v", queue.StartTime, queue.EndTime, worker.StartTime, worker.EndTime)
	}
}

func TestFailureIsAnEventOfTheRun(t *testing.T) {
	for _, row := range []struct {
		name   string
		err    error
		status int
		event  map[string]string
	}{
		{
			"thrown", &sandbox.FunctionError{Text: "TypeError: x", Stack: "TypeError: x\n  at y"}, 500,
			map[string]string{"exception.message": "TypeError: x", "exception.stacktrace": "TypeError: x\n  at y"},
		},
		{"thrown without a stack", &sandbox.FunctionError{Text: "x"}, 404, map[string]string{"exception.message": "x"}},
		{
			"death", &sandbox.DeathError{Reason: sandbox.ReasonMemory}, 500,
			map[string]string{"exception.message": "sandbox: worker died: memory_limit", "exception.type": "memory_limit"},
		},
		{"no worker", fmt.Errorf("%w in time", sandbox.ErrBusy), 503, map[string]string{"exception.message": "sandbox: no free worker in time"}},
		{"thrown NotModified", &sandbox.FunctionError{Status: 304}, 304, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture(t, Options{})
			_, span := f.Run(t.Context(), call)
			span.End(invoke.Ending{Status: row.status, Err: row.err})
			got := f.span(t, "run function")
			if row.event == nil {
				if len(got.Events) != 0 || got.Status.Code != codes.Unset {
					t.Errorf("span %+v", got)
				}
				return
			}
			if len(got.Events) != 1 || got.Events[0].Name != "exception" || !maps.Equal(tags(got.Events[0].Attributes), row.event) {
				t.Errorf("events %v", got.Events)
			}
			if got.Status.Code != codes.Error || tags(got.Attributes)["error"] != "true" {
				t.Errorf("status %v", got.Status)
			}
		})
	}
}

func TestStepsAreBelowTheirPipeline(t *testing.T) {
	f := newFixture(t, Options{})
	ctx, pipeline := f.Pipeline(t.Context(), call, []function.Ref{{Namespace: "a", ID: "b"}, {Namespace: "c", ID: "d"}})
	_, step := f.Run(ctx, call)
	step.End(invoke.Ending{Status: 200})
	pipeline.End(invoke.Ending{Status: 200})
	got := f.span(t, "run pipeline")
	if f.span(t, "run function").Parent.SpanID() != got.SpanContext.SpanID() || tags(got.Attributes)["function.steps"] != `["a/b","c/d"]` {
		t.Errorf("pipeline %v", got.Attributes)
	}
}

func TestTextsAreValidAndBounded(t *testing.T) {
	f := newFixture(t, Options{})
	hostile := call
	hostile.Ref.Namespace = "a\xffb"
	_, span := f.Run(t.Context(), hostile)
	span.Line(sandbox.LogLine{Text: strings.Repeat("é", maxText)})
	span.End(invoke.Ending{Status: 500, Err: errors.New("\xff")})
	got := f.span(t, "run function")
	if tags(got.Attributes)["function.namespace"] != "a\ufffdb" || got.Status.Description != "\ufffd" {
		t.Errorf("span %v %v", got.Attributes, got.Status)
	}
	if line := tags(got.Events[0].Attributes)["message"]; len(line) > maxText || strings.Contains(line, "\ufffd") {
		t.Errorf("a line of %d bytes", len(line))
	}
}

func TestStoreFailsOnlyWhenItIsAway(t *testing.T) {
	for err, failed := range map[error]bool{
		nil: false, function.ErrNotFound: false, &function.NotFoundError{}: false, function.ErrEnvNotFound: false,
		function.ErrNamespaceNotFound: false, function.ErrUnavailable: true,
	} {
		f := newFixture(t, Options{})
		_, end := f.Store(t.Context(), hook.Operation{Name: "get"})
		end(err)
		if got := f.span(t, "store get").Status.Code == codes.Error; got != failed {
			t.Errorf("%v: failed %t", err, got)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	f := newFixture(b, Options{})
	b.ReportAllocs()
	for b.Loop() {
		_, span := f.Run(b.Context(), call)
		span.End(invoke.Ending{Status: 200, Stats: sandbox.Stats{Start: sandbox.StartWarm}})
		f.spans.Reset()
	}
}

func TestRequestsOfTheFunctionJoinTheTrace(t *testing.T) {
	f := newFixture(t, Options{Propagators: []string{"tracecontext", "b3"}})
	_, span := f.Run(t.Context(), call)
	outgoing := string(span.Outgoing())
	span.End(invoke.Ending{Status: 200})
	trace := f.span(t, "run function").SpanContext.TraceID().String()
	if !strings.Contains(outgoing, `"traceparent":"00-`+trace) || strings.Count(outgoing, trace) != 2 {
		t.Errorf("headers %s, want those of trace %s in both forms", outgoing, trace)
	}
}
