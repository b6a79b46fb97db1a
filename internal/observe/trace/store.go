package trace

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/trace"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/hook"
)

// Store is a hook.Func that makes a span of each operation of the store. That something is not there is no failure. A
// "ping" has no span, as health checks have none.
func (t *Tracer) Store(ctx context.Context, op hook.Operation) (_ context.Context, end func(err error)) {
	if op.Name == "ping" || op.Name == "routes" { // which are asked for in the background
		return ctx, func(error) {}
	}
	ctx, span := t.tracer.Start(ctx, "store "+op.Name, trace.WithSpanKind(trace.SpanKindClient))
	return ctx, func(err error) {
		if err != nil && !isMissing(err) {
			fail(span, err)
		}
		span.End()
	}
}

func isMissing(err error) bool {
	return errors.Is(err, function.ErrNotFound) || errors.Is(err, function.ErrEnvNotFound) ||
		errors.Is(err, function.ErrNamespaceNotFound)
}
