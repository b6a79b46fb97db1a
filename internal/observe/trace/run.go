package trace

import (
	"context"
	"encoding/json"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// The tags of runs and pipelines; the first three are the original's.
const (
	tagNamespace = attribute.Key("function.namespace")
	tagID        = attribute.Key("function.id")
	tagSteps     = attribute.Key("function.steps")
	tagStart     = attribute.Key("function.start") // how the call got its worker
)

// Run implements invoke.Tracer.
func (t *Tracer) Run(ctx context.Context, call invoke.Call) (context.Context, invoke.Span) {
	began := time.Now()
	name := []attribute.KeyValue{
		tagNamespace.String(clean(call.Ref.Namespace, maxName)),
		tagID.String(clean(call.Ref.ID, maxName)),
	}
	ctx, span := t.tracer.Start(
		ctx,
		"run function",
		trace.WithTimestamp(began),
		trace.WithAttributes(name...),
		trace.WithAttributes(tagRequestID.String(call.ID)),
	)
	return ctx, &runSpan{Tracer: t, ctx: ctx, span: span, began: began, name: name}
}

// Pipeline implements invoke.Tracer.
func (t *Tracer) Pipeline(ctx context.Context, call invoke.Call, steps []function.Ref) (context.Context, invoke.Span) {
	names := make([]string, len(steps))
	for i, step := range steps {
		names[i] = clean(step.String(), maxName)
	}
	ctx, span := t.tracer.Start(
		ctx,
		"run pipeline",
		trace.WithAttributes(tagSteps.StringSlice(names), tagRequestID.String(call.ID)),
	)
	return ctx, &runSpan{Tracer: t, ctx: ctx, span: span}
}

// runSpan is the invoke.Span of a run or a pipeline.
type runSpan struct {
	*Tracer
	ctx   context.Context // of the span, for those below it
	span  trace.Span
	began time.Time
	name  []attribute.KeyValue // of the function
	own   []sandbox.Span       // that the function has timed
}

// Outgoing implements invoke.Span, with the headers of every propagator that requests are read by.
func (s *runSpan) Outgoing() json.RawMessage {
	headers := propagation.MapCarrier{}
	s.incoming.Inject(s.ctx, headers)
	text, err := json.Marshal(headers)
	if err != nil { // a map of texts always marshals
		return nil
	}
	return text
}

// Line implements invoke.Span. The SDK's limit on the events of a span bounds how many are kept.
func (s *runSpan) Line(line sandbox.LogLine) {
	if s.span.IsRecording() {
		s.span.AddEvent("log", trace.WithAttributes(
			attribute.String("level", line.Level), attribute.String("message", clean(line.Text, maxText))))
	}
}

// End implements invoke.Span.
func (s *runSpan) End(o invoke.Ending) {
	if o.Stats.Start != "" {
		running := s.began.Add(o.Stats.Queue)
		s.child("queue", s.began, running)
		s.worker(running, o.Stats.Run)
		s.span.SetAttributes(tagStart.String(string(o.Stats.Start)))
	}
	s.span.SetAttributes(tagStatus.Int(o.Status))
	if o.Err != nil && o.Status >= 400 { // a function may throw NotModified
		fail(s.span, o.Err)
	}
	s.span.End()
}

// child makes a span of what is over already.
func (s *runSpan) child(name string, began, ended time.Time) {
	_, span := s.tracer.Start(s.ctx, name, trace.WithTimestamp(began))
	span.End(trace.WithTimestamp(ended))
}
