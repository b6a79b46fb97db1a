// Package trace sends spans of requests, pipelines, runs and the store to an OpenTelemetry collector.
//
//	PUT /functions/{namespace}/{id}/run      the request, named by its route
//	├─ store get                             when the function is not in memory
//	└─ run function                          lines that it prints and its error are events
//	   ├─ queue                              until there was a worker
//	   ├─ run                                in the worker
//	   └─ connect                            each time that the function reaches for the outside
//
// A pipeline has a span "run pipeline" around the runs of its steps.
package trace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// scope is the instrumentation scope of the server's own spans. Dashboards filter by it: it stays when the package
// moves.
const scope = "github.com/backstage/functions/internal/trace"

// closeTimeout bounds how long Close waits for the last spans to be taken.
const closeTimeout = 5 * time.Second

// Options configure a Tracer. What they leave open, the OTEL_* variables of OpenTelemetry's SDK decide: endpoint,
// headers, TLS, sampler, batches, limits, and attributes of the resource.
type Options struct {
	// Endpoint is a collector that speaks OTLP over gRPC without TLS, "host:port". Empty leaves it to the variables.
	Endpoint string
	// Protocol is GRPC or HTTP; Endpoint needs GRPC.
	Protocol string
	// Service and Instance become service.name, unless a variable sets that, and service.instance.id; empty for none.
	Service, Instance string
	// Propagators are some of those that the function of this name returns. The context of a request is taken from
	// whichever of their headers it has; of several the last counts.
	Propagators []string
	// Answer names the propagator whose headers answers carry; empty for none.
	Answer string
}

// The values of Options.Protocol.
const (
	GRPC = "grpc"
	HTTP = "http/protobuf"
)

// Tracer makes spans. It is safe for concurrent use. Use New.
type Tracer struct {
	provider  *sdk.TracerProvider
	tracer    trace.Tracer
	functions trace.Tracer // of the spans that functions make
	incoming  propagation.TextMapPropagator
	answer    propagation.TextMapPropagator
}

// New starts a Tracer; Close ends it. It does not wait for the collector.
func New(ctx context.Context, o Options) (*Tracer, error) {
	exporter, err := newExporter(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("trace: exporter: %w", err)
	}
	t, err := newTracer(ctx, o, sdk.WithBatcher(exporter))
	if err != nil {
		return nil, errors.Join(err, exporter.Shutdown(ctx))
	}
	return t, nil
}

func newTracer(ctx context.Context, o Options, processor sdk.TracerProviderOption) (*Tracer, error) {
	incoming, err := propagators(o.Propagators)
	if err != nil {
		return nil, err
	}
	answer, err := propagators(nonEmpty(o.Answer))
	if err != nil {
		return nil, err
	}
	described, err := describe(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("trace: resource: %w", err)
	}
	provider := sdk.NewTracerProvider(processor, sdk.WithResource(described))
	return &Tracer{
		provider:  provider,
		tracer:    provider.Tracer(scope),
		functions: provider.Tracer("Backstage.span"),
		incoming:  incoming,
		answer:    answer,
	}, nil
}

// describe is what all spans say of this server.
func describe(ctx context.Context, o Options) (*resource.Resource, error) {
	attributes := []attribute.KeyValue{attribute.String("service.name", o.Service)}
	if o.Instance != "" {
		attributes = append(attributes, attribute.String("service.instance.id", o.Instance))
	}
	return resource.New(
		ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(attributes...),
		resource.WithFromEnv(),
	)
}

// Close sends the spans that wait, for a few seconds at most, and ends the Tracer. Spans that end later are dropped.
// Close may be called again.
func (t *Tracer) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("trace: close: %w", err)
	}
	return nil
}
