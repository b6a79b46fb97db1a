package trace

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
)

func newExporter(ctx context.Context, o Options) (*otlptrace.Exporter, error) {
	switch {
	case o.Protocol == HTTP && o.Endpoint == "":
		return otlptracehttp.New(ctx)
	case o.Protocol != GRPC:
		return nil, fmt.Errorf("protocol %q with endpoint %q", o.Protocol, o.Endpoint)
	case o.Endpoint == "":
		return otlptracegrpc.New(ctx)
	}
	return otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(o.Endpoint), otlptracegrpc.WithInsecure())
}

// lossReport is the time between two reports of lost spans.
const lossReport = time.Minute

// losses logs the SDK's errors, one a minute: a collector that is away makes one every few seconds.
type losses struct {
	logger *slog.Logger

	mu     sync.Mutex // guards the fields below
	logged time.Time
	errors int // since then
}

// Handle implements otel.ErrorHandler.
func (l *losses) Handle(err error) {
	l.mu.Lock()
	l.errors++
	errors := l.errors
	due := time.Since(l.logged) >= lossReport
	if due {
		l.logged, l.errors = time.Now(), 0
	}
	l.mu.Unlock()
	if due {
		l.logger.Warn("Traces could not be sent", "errors", errors, "error", err)
	}
}
