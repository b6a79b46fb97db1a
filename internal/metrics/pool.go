package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// Buckets of the pool's histograms, in seconds.
var (
	waitBuckets  = []float64{0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30}
	startBuckets = []float64{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30}
	lagBuckets   = []float64{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1}
)

// refusals are the values of the label reason of refused calls.
const (
	refusedBusy      = "busy" // for no cause that is named
	refusedClosed    = "closed"
	refusedCanceled  = "canceled"
	refusedFunction  = "function_limit"
	refusedNamespace = "namespace_limit"
)

// pool counts what a sandbox.Pool reports. It is its sandbox.Observer.
type pool struct {
	starts        map[sandbox.StartKind]prometheus.Counter
	queueWait     prometheus.Histogram
	workerStart   prometheus.Histogram
	startFailures prometheus.Counter
	deaths        map[sandbox.Reason]prometheus.Counter
	deadlineLag   prometheus.Histogram
	refused       map[string]prometheus.Counter
}

var _ sandbox.Observer = (*pool)(nil)

func newPool(registry *prometheus.Registry) *pool {
	counters := func(name, help, label string) *prometheus.CounterVec {
		vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "functions_" + name, Help: help}, []string{label})
		registry.MustRegister(vec)
		return vec
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "functions_" + name, Help: help, Buckets: buckets})
		registry.MustRegister(h)
		return h
	}
	failures := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "functions_worker_start_failures_total", Help: "Workers that could not be started.",
	})
	registry.MustRegister(failures)
	return &pool{
		starts: children(counters("invocation_starts_total", "Calls by where their worker came from.", "start"),
			sandbox.StartWarm, sandbox.StartPrewarmed, sandbox.StartCold),
		queueWait:     histogram("queue_wait_seconds", "Time that calls waited for their worker.", waitBuckets),
		workerStart:   histogram("worker_start_seconds", "Time that the start of a worker took.", startBuckets),
		startFailures: failures,
		deaths: children(counters("worker_deaths_total", "Workers that ended, by reason.", "reason"),
			sandbox.ReasonSyncDeadline, sandbox.ReasonDeadline, sandbox.ReasonMemory, sandbox.ReasonHeap, sandbox.ReasonExit,
			sandbox.ReasonSignal, sandbox.ReasonSyscall, sandbox.ReasonProtocol, sandbox.ReasonOutput, sandbox.ReasonCanceled,
			sandbox.ReasonRetired, sandbox.ReasonEvicted, sandbox.ReasonIdle, sandbox.ReasonClosed),
		deadlineLag: histogram("deadline_lag_seconds", "Time from a deadline until the worker was dead.", lagBuckets),
		refused: children(counters("invocations_refused_total", "Calls that got no worker, by reason.", "reason"),
			refusedBusy, string(sandbox.BusyQueueFull), string(sandbox.BusyQueueTimeout), string(sandbox.BusyExpectedWait),
			refusedClosed, refusedCanceled, refusedFunction, refusedNamespace),
	}
}

// children returns the counters of the given label values, which all appear at once, at zero.
func children[T ~string](vec *prometheus.CounterVec, values ...T) map[T]prometheus.Counter {
	counters := make(map[T]prometheus.Counter, len(values))
	for _, value := range values {
		counters[value] = vec.WithLabelValues(string(value))
	}
	return counters
}

// WorkerStarted implements sandbox.Observer.
func (p *pool) WorkerStarted(took time.Duration) { p.workerStart.Observe(took.Seconds()) }

// WorkerStartFailed implements sandbox.Observer.
func (p *pool) WorkerStartFailed(error) { p.startFailures.Inc() }

// WorkerDied implements sandbox.Observer.
func (p *pool) WorkerDied(reason sandbox.Reason, lag time.Duration) {
	if counter, ok := p.deaths[reason]; ok {
		counter.Inc()
	}
	if lag > 0 {
		p.deadlineLag.Observe(lag.Seconds())
	}
}

// InvocationDone implements sandbox.Observer.
func (p *pool) InvocationDone(stats sandbox.Stats) {
	if counter, ok := p.starts[stats.Start]; ok {
		counter.Inc()
	}
	p.queueWait.Observe(stats.Queue.Seconds())
}

// InvocationRefused implements sandbox.Observer, and counts calls above a limit of the invoker's too.
func (p *pool) InvocationRefused(err error) {
	limit, limited := errors.AsType[*invoke.LimitError](err)
	busy, isBusy := errors.AsType[*sandbox.BusyError](err)
	switch {
	case limited && limit.Scope == invoke.ScopeNamespace:
		p.refused[refusedNamespace].Inc()
	case limited:
		p.refused[refusedFunction].Inc()
	case isBusy && p.refused[string(busy.Cause)] != nil:
		p.refused[string(busy.Cause)].Inc()
	case errors.Is(err, sandbox.ErrClosed):
		p.refused[refusedClosed].Inc()
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		p.refused[refusedCanceled].Inc()
	default:
		p.refused[refusedBusy].Inc()
	}
}
