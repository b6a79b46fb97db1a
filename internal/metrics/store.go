package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/function"
)

// storage counts the operations of the store.
type storage struct {
	duration *prometheus.HistogramVec
	errors   *prometheus.CounterVec
}

func newStorage(registry *prometheus.Registry) *storage {
	f := factory{registry}
	return &storage{
		duration: f.histograms("store_operation_seconds", "Time that operations of the store took.", waitBuckets, "operation"),
		errors:   f.counters("store_operation_errors_total", "Operations of the store that failed.", "operation"),
	}
}

// Store begins an operation of the store, such as "get"; there may be only a few. End, which must be called once, counts
// it. That something is not there, or that the caller went away, is no failure.
func (s *storage) Store(ctx context.Context, operation string) (_ context.Context, end func(err error)) {
	began := time.Now()
	return ctx, func(err error) {
		s.duration.WithLabelValues(operation).Observe(time.Since(began).Seconds())
		failures := s.errors.WithLabelValues(operation) // which appears, at zero, with the first operation
		if err != nil && !isHarmless(err) {
			failures.Inc()
		}
	}
}

func isHarmless(err error) bool {
	for _, harmless := range []error{function.ErrNotFound, function.ErrEnvNotFound, function.ErrNamespaceNotFound, context.Canceled} {
		if errors.Is(err, harmless) {
			return true
		}
	}
	return false
}
