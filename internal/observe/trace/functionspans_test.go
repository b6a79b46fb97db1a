package trace

import (
	"maps"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// runWith makes a run of a second in which the function has timed spans.
func runWith(t *testing.T, f *fixture, spans ...sandbox.Span) {
	t.Helper()
	_, span := f.Run(t.Context(), call)
	add := span.Spans()
	for _, own := range spans {
		add(own)
	}
	span.End(invoke.Ending{Status: 200, Stats: sandbox.Stats{Start: sandbox.StartWarm, Run: time.Second}})
}

func TestSpansOfAFunctionAreBelowTheTimeInItsWorker(t *testing.T) {
	f := newFixture(t, Options{})
	runWith(
		t, f,
		sandbox.Span{Number: 2, Parent: 1, Name: "inner", Start: 200 * time.Millisecond, Duration: 100 * time.Millisecond, Tags: []sandbox.Tag{
			{Key: "rows", Value: 3.0}, {Key: "table", Value: "a\xff"}, {Key: "error", Value: true},
		}},
		sandbox.Span{Number: 5, Parent: 4, Name: "orphan"},
		sandbox.Span{Number: 1, Name: "outer", Start: 100 * time.Millisecond, Duration: 300 * time.Millisecond},
		sandbox.Span{Tags: []sandbox.Tag{{Key: "user", Value: "u1"}}},
	)
	run, outer, inner := f.span(t, "run"), f.span(t, "outer"), f.span(t, "inner")
	if outer.Parent.SpanID() != run.SpanContext.SpanID() || f.span(t, "orphan").Parent.SpanID() != run.SpanContext.SpanID() ||
		inner.Parent.SpanID() != outer.SpanContext.SpanID() {
		t.Error("spans are not below what they are a part of")
	}
	if inner.StartTime.Sub(run.StartTime) != 200*time.Millisecond || inner.EndTime.Sub(inner.StartTime) != 100*time.Millisecond {
		t.Errorf("inner from %v to %v, the run from %v", inner.StartTime, inner.EndTime, run.StartTime)
	}
	want := map[string]string{
		"function.namespace": "shop", "function.id": "price", "rows": "3", "table": "a\ufffd", "error": "true",
	}
	if got := tags(inner.Attributes); !maps.Equal(got, want) || inner.Status.Code != codes.Error || outer.Status.Code != codes.Unset {
		t.Errorf("inner %v %v, outer %v", got, inner.Status, outer.Status)
	}
	if got := tags(run.Attributes); !maps.Equal(got, map[string]string{"user": "u1"}) {
		t.Errorf("the run has %v", got)
	}
}

func TestFunctionForgesNothingBeyondItsOwnSpans(t *testing.T) {
	f := newFixture(t, Options{})
	forged := []sandbox.Tag{{Key: "function.id", Value: "other"}, {Key: "function.namespace", Value: "other"}, {Key: "http.status_code", Value: 500.0}}
	runWith(
		t, f,
		sandbox.Span{Tags: forged},
		sandbox.Span{Number: 1, Name: "run function", Start: time.Minute, Duration: time.Hour, Tags: forged},
		sandbox.Span{Number: 1, Name: "again", Start: 0, Duration: time.Hour},
	)
	var engine, own int
	for _, span := range f.spans.GetSpans() {
		if span.InstrumentationScope.Name == "Backstage.span" {
			own++
		} else {
			engine++
		}
		got := tags(span.Attributes)
		if got["function.id"] == "other" || got["function.namespace"] == "other" {
			t.Errorf("%s passes for another function: %v", span.Name, got)
		}
		if span.Name == "run function" && span.InstrumentationScope.Name != "Backstage.span" && got["http.status_code"] != "200" {
			t.Errorf("the engine's span has %v", got)
		}
	}
	if engine != 3 || own != 2 { // run function, queue, run
		t.Errorf("%d spans of the engine, %d of the function", engine, own)
	}
	run := f.span(t, "run")
	for _, span := range f.spans.GetSpans() {
		if span.StartTime.Before(run.StartTime) && span.InstrumentationScope.Name == "Backstage.span" || span.EndTime.After(run.EndTime) && span.Name == "again" {
			t.Errorf("%s lasts from %v to %v, the run from %v to %v", span.Name, span.StartTime, span.EndTime, run.StartTime, run.EndTime)
		}
	}
}

func TestRunThatIsNotSampledWantsNoSpans(t *testing.T) {
	t.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	provider := sdk.NewTracerProvider()
	tracer := provider.Tracer("test")
	_, span := tracer.Start(t.Context(), "x")
	if (&runSpan{span: span}).Spans() != nil {
		t.Error("spans are wanted")
	}
}
