package trace

import (
	"errors"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/backstage/functions/sandbox"
)

// Limits on texts in spans, in bytes.
const (
	maxName = 1 << 10 // functions, methods, IDs
	maxURL  = 2 << 10
	maxText = 4 << 10 // messages, stacks
)

// fail marks span as failed and keeps the error as an event.
// https://opentelemetry.io/docs/specs/semconv/exceptions/
func fail(span trace.Span, err error) {
	if !span.IsRecording() {
		return
	}
	text := clean(err.Error(), maxText)
	event := []attribute.KeyValue{attribute.String("exception.message", text)}
	if thrown, ok := errors.AsType[*sandbox.FunctionError](err); ok && thrown.Stack != "" {
		event = append(event, attribute.String("exception.stacktrace", clean(thrown.Stack, maxText)))
	}
	if death, ok := errors.AsType[*sandbox.DeathError](err); ok {
		event = append(event, attribute.String("exception.type", string(death.Reason)))
	}
	span.AddEvent("exception", trace.WithAttributes(event...))
	span.SetAttributes(tagError.Bool(true))
	span.SetStatus(codes.Error, text)
}

// clean returns at most the first limit bytes of s as the valid UTF-8 that the protocol insists on: one bad byte would
// lose all spans of its batch.
func clean(s string, limit int) string {
	if len(s) > limit {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
