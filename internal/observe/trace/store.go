package trace

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/trace"

	"github.com/backstage/functions/internal/function"
)

// Store begins the span of an operation of the store, such as "get". End, which must be called once, ends it; that
// something is not there is no failure. A "ping" has no span, as health checks have none.
func (t *Tracer) Store(ctx context.Context, operation string) (_ context.Context, end func(err error)) {
	if operation == "ping" {
		return ctx, func(error) {}
	}
	ctx, span := t.tracer.Start(ctx, "store "+operation, trace.WithSpanKind(trace.SpanKindClient))
	return ctx, func(err error) {
		if err != nil && !isMissing(err) {
			fail(span, err)
		}
		span.End()
	}
}

func isMissing(err error) bool {
	return errors.Is(err, function.ErrNotFound) || errors.Is(err, function.ErrEnvNotFound) || errors.Is(err, function.ErrNamespaceNotFound)
}
