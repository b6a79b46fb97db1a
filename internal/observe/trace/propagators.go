package trace

import (
	"fmt"

	"go.opentelemetry.io/contrib/propagators/b3"
	"go.opentelemetry.io/contrib/propagators/jaeger"
	"go.opentelemetry.io/otel/propagation"
)

// known are the propagators by the names of OTEL_PROPAGATORS. B3 reads both of its forms and writes the one it is
// named for.
var known = map[string]propagation.TextMapPropagator{
	"tracecontext": propagation.TraceContext{},
	"baggage":      propagation.Baggage{},
	"b3":           b3.New(b3.WithInjectEncoding(b3.B3SingleHeader)),
	"b3multi":      b3.New(b3.WithInjectEncoding(b3.B3MultipleHeader)),
	"jaeger":       jaeger.Jaeger{},
}

func propagators(names []string) (propagation.TextMapPropagator, error) {
	list := make([]propagation.TextMapPropagator, len(names))
	for i, name := range names {
		propagator, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("trace: unknown propagator %q", name)
		}
		list[i] = propagator
	}
	return propagation.NewCompositeTextMapPropagator(list...), nil
}

func nonEmpty(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}
