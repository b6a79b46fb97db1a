package trace

import (
	"context"
	"encoding/json"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// The tags of connections; those of server and network are OpenTelemetry's.
// https://opentelemetry.io/docs/specs/semconv/general/attributes/
const (
	tagHost     = attribute.Key("server.address")
	tagPort     = attribute.Key("server.port")
	tagPeer     = attribute.Key("network.peer.address")
	tagResult   = attribute.Key("egress.result")
	tagSent     = attribute.Key("egress.bytes_sent")
	tagReceived = attribute.Key("egress.bytes_received")
)

// connected is the result of an attempt that succeeded.
const connected = "connected"

// Connection begins the span of a function's attempt to reach host and port. Outgoing are the headers that
// Span.Outgoing gave for its run. End, which must be called once, ends it with the attempt's result ("connected" or a
// word that says why not), the address that was connected to or refused, if there was one, and the bytes that were
// carried. It implements egress.Tracer.
func (t *Tracer) Connection(
	outgoing json.RawMessage,
	host string,
	port int,
) (end func(result, address string, sent, received int64)) {
	_, span := t.tracer.Start(t.above(outgoing), "connect", trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(tagHost.String(clean(host, maxName)), tagPort.Int(port)))
	return func(result, address string, sent, received int64) {
		span.SetAttributes(tagResult.String(result), tagSent.Int64(sent), tagReceived.Int64(received))
		if address != "" {
			span.SetAttributes(tagPeer.String(address))
		}
		if result != connected {
			span.SetAttributes(tagError.Bool(true))
			span.SetStatus(codes.Error, result)
		}
		span.End()
	}
}

// above is the context of the span that outgoing headers name.
func (t *Tracer) above(outgoing json.RawMessage) context.Context {
	headers := propagation.MapCarrier{}
	if json.Unmarshal(outgoing, &headers) != nil {
		return context.Background() // a run without a span has none
	}
	return t.incoming.Extract(context.Background(), headers)
}
