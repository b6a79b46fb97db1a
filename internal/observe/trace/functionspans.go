package trace

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/backstage/functions/sandbox"
)

// Spans implements invoke.Span. Of a run that is not sampled it wants none.
func (s *runSpan) Spans() func(sandbox.Span) {
	if !s.span.IsRecording() {
		return nil
	}
	return func(own sandbox.Span) { s.own = append(s.own, own) }
}

// worker makes the span of the time in the worker, and below it those that the function has timed itself. These are the
// function's word, so they keep to the time of the worker, belong to a scope of their own and carry the function's real
// name.
func (s *runSpan) worker(began time.Time, took time.Duration) {
	ended := began.Add(took)
	ctx, span := s.tracer.Start(s.ctx, "run", trace.WithTimestamp(began))
	slices.SortStableFunc(s.own, func(a, b sandbox.Span) int { return cmp.Compare(a.Number, b.Number) })
	parents := map[int]context.Context{}
	for _, own := range s.own {
		if own.Number == 0 {
			describeOwn(span, own.Tags)
			continue
		}
		parent, ok := parents[own.Parent]
		if !ok { // of the call itself, or of one that was never finished
			parent = ctx
		}
		start := min(own.Start, took)
		below, child := s.functions.Start(
			parent,
			clean(own.Name, maxName),
			trace.WithTimestamp(began.Add(start)),
			trace.WithAttributes(s.name...),
		)
		describeOwn(child, own.Tags)
		child.End(trace.WithTimestamp(began.Add(min(start+own.Duration, took))))
		parents[own.Number] = below
	}
	span.End(trace.WithTimestamp(ended))
}

// ownPrefix begins the names of attributes that a function may not choose: they say which function it is.
const ownPrefix = "function."

// describeOwn puts the tags that a function has chosen on span. By OpenTracing's convention the tag error marks a span
// as failed.
func describeOwn(span trace.Span, tags []sandbox.Tag) {
	for _, tag := range tags {
		if strings.HasPrefix(tag.Key, ownPrefix) {
			continue
		}
		key := attribute.Key(clean(tag.Key, maxName))
		switch value := tag.Value.(type) {
		case bool:
			span.SetAttributes(key.Bool(value))
		case float64:
			span.SetAttributes(key.Float64(value))
		case string:
			span.SetAttributes(key.String(clean(value, maxText)))
		}
		if tag.Key == string(tagError) && tag.Value == true {
			span.SetStatus(codes.Error, "")
		}
	}
}
