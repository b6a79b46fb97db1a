package trace

import (
	"maps"
	"testing"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/backstage/functions/internal/invoke"
)

func TestAConnectionIsASpanBelowItsRun(t *testing.T) {
	for _, propagator := range []string{"tracecontext", "b3", "b3multi", "jaeger"} {
		f := newFixture(t, Options{Propagators: []string{propagator}})
		_, span := f.Run(t.Context(), call)
		end := f.Connection(span.Outgoing(), "api.example", 443)
		span.End(invoke.Ending{Status: 200})
		end("connected", "192.0.2.1", 10, 20)
		run, got := f.span(t, "run function"), f.span(t, "connect")
		if got.Parent.SpanID() != run.SpanContext.SpanID() || got.SpanContext.TraceID() != run.SpanContext.TraceID() {
			t.Errorf("%s: not below the run", propagator)
		}
		want := map[string]string{
			"server.address": "api.example", "server.port": "443", "network.peer.address": "192.0.2.1",
			"egress.result": "connected", "egress.bytes_sent": "10", "egress.bytes_received": "20",
		}
		if !maps.Equal(tags(got.Attributes), want) || got.Status.Code != codes.Unset || got.SpanKind != trace.SpanKindClient {
			t.Errorf("%s: %v %v %v", propagator, tags(got.Attributes), got.Status, got.SpanKind)
		}
	}
}

func TestARefusedConnectionIsAnError(t *testing.T) {
	f := newFixture(t, Options{})
	f.Connection(nil, "10.0.0.1\xff", 80)("private", "", 0, 0)
	got := f.span(t, "connect")
	if got.Parent.IsValid() || got.Status.Code != codes.Error || got.Status.Description != "private" {
		t.Errorf("%v %v", got.Parent, got.Status)
	}
	if attributes := tags(got.Attributes); attributes["error"] != "true" || attributes["server.address"] != "10.0.0.1\uFFFD" {
		t.Errorf("%v", attributes)
	}
}
