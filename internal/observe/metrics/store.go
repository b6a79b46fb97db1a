package metrics

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/hook"
)

// storage counts the operations of the store.
type storage struct {
	duration *prometheus.HistogramVec
	errors   *prometheus.CounterVec
	down     atomic.Bool
	full     atomic.Bool
}

func newStorage(registry *prometheus.Registry) *storage {
	f := factory{registry}
	s := &storage{
		duration: f.histograms(
			"store_operation_seconds",
			"Time that operations of the store took.",
			waitBuckets,
			"operation",
		),
		errors: f.counters("store_operation_errors_total", "Operations of the store that failed.", "operation"),
	}
	f.gauge("store_up", "0 while the store does not answer, else 1.", func() float64 { return number(!s.down.Load()) })
	f.gauge(
		"store_full",
		"1 since the store had no room for a write, until it takes one, else 0.",
		func() float64 { return number(s.full.Load()) },
	)
	return s
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// StoreFull says whether the last write found no room.
func (s *storage) StoreFull() bool { return s.full.Load() }

// WatchDisk adds what the file of the store takes and how much its disk has left, in bytes, read from space at each
// scrape; what cannot be told is 0. Call it at most once.
func (m *Metrics) WatchDisk(space func() (file, free int64)) {
	f := factory{m.registry}
	f.gauge("store_file_bytes", "Size of the file of the embedded store.", func() float64 {
		file, _ := space()
		return float64(file)
	})
	f.gauge("store_free_bytes", "Bytes left for it on its disk.", func() float64 {
		_, free := space()
		return float64(free)
	})
}

// Store is a hook.Func that counts and times operations of the store. That something is not there, or that the caller
// went away, is no failure.
func (s *storage) Store(ctx context.Context, op hook.Operation) (_ context.Context, end func(err error)) {
	began := time.Now()
	return ctx, func(err error) {
		s.duration.WithLabelValues(op.Name).Observe(time.Since(began).Seconds())
		s.setState(op.Kind, err)
		failures := s.errors.WithLabelValues(op.Name) // which appears, at zero, with the first operation
		if err != nil && !isHarmless(err) {
			failures.Inc()
		}
	}
}

// setState learns from the outcome of an operation whether the store answers, and whether it is full.
func (s *storage) setState(kind hook.Kind, err error) {
	switch {
	case errors.Is(err, function.ErrFull):
		s.full.Store(true)
		s.down.Store(false)
	case errors.Is(err, function.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		s.down.Store(true)
	case errors.Is(err, context.Canceled):
	case err == nil || isHarmless(err):
		s.down.Store(false)
		if err == nil && kind == hook.Write {
			s.full.Store(false)
		}
	}
}

func isHarmless(err error) bool {
	if _, ok := errors.AsType[*function.EnvLimitError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*function.RoutePatternError](err); ok {
		return true
	}
	for _, harmless := range []error{
		function.ErrNotFound, function.ErrEnvNotFound, function.ErrNamespaceNotFound, function.ErrTooManyRoutes,
		context.Canceled,
	} {
		if errors.Is(err, harmless) {
			return true
		}
	}
	return false
}
