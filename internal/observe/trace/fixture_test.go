package trace

import (
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// fixture is a Tracer whose spans can be looked at.
type fixture struct {
	*Tracer
	spans *tracetest.InMemoryExporter
}

func newFixture(t testing.TB, o Options) *fixture {
	t.Helper()
	if o.Propagators == nil {
		o.Propagators = []string{"b3", "jaeger", "baggage", "tracecontext"}
	}
	spans := tracetest.NewInMemoryExporter()
	tracer, err := newTracer(t.Context(), o, sdk.WithSyncer(spans))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tracer.Close(); err != nil {
			t.Error(err)
		}
	})
	return &fixture{tracer, spans}
}

// span is the only one of that name.
func (f *fixture) span(t *testing.T, name string) tracetest.SpanStub {
	t.Helper()
	var found []tracetest.SpanStub
	var names []string
	for _, span := range f.spans.GetSpans() {
		names = append(names, span.Name)
		if span.Name == name {
			found = append(found, span)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans %q among %q", len(found), name, names)
	}
	return found[0]
}

// tags are attributes by name, as text.
func tags(list []attribute.KeyValue) map[string]string {
	m := map[string]string{}
	for _, a := range list {
		m[string(a.Key)] = a.Value.String()
	}
	return m
}
