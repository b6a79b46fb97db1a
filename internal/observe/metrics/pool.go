package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// Buckets of the histograms of time, in seconds.
var (
	waitBuckets  = []float64{0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30}
	startBuckets = []float64{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30}
	lagBuckets   = []float64{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1}
)

// memoryBuckets are those of memory, in bytes: 16 MiB to 1 GiB.
var memoryBuckets = prometheus.ExponentialBuckets(16<<20, 1.5, 11)

// refusals are the values of the label reason of refused calls.
const (
	refusedBusy      = "busy" // for no cause that is named
	refusedClosed    = "closed"
	refusedCanceled  = "canceled"
	refusedFunction  = "function_limit"
	refusedNamespace = "namespace_limit"
	refusedRate      = "rate_limit"
	refusedQuota     = "quota"
	refusedDisabled  = "namespace_disabled"
)

// pool counts what a sandbox.Pool reports. It is its sandbox.Observer.
type pool struct {
	starts         map[sandbox.StartKind]prometheus.Counter
	queueWait      map[sandbox.StartKind]prometheus.Observer
	run            map[sandbox.StartKind]prometheus.Observer
	load           prometheus.Histogram
	cpu            prometheus.Histogram
	workerStart    prometheus.Histogram
	startFailures  prometheus.Counter
	deaths         map[sandbox.Reason]prometheus.Counter
	peakMemory     prometheus.Histogram
	deadlineLag    prometheus.Histogram
	zygoteRestarts prometheus.Counter
	refused        map[string]prometheus.Counter
	late           map[sandbox.LateEnd]prometheus.Counter
	lateTime       prometheus.Histogram
	rollbacks      prometheus.Counter
	rollbackFails  map[sandbox.RollbackCause]prometheus.Counter
	audits         prometheus.Counter
	replaced       map[sandbox.Replaced]prometheus.Counter
}

var _ sandbox.Observer = (*pool)(nil)

// startKinds are the values of the label start.
var startKinds = []sandbox.StartKind{sandbox.StartWarm, sandbox.StartPrewarmed, sandbox.StartCold}

func newPool(registry *prometheus.Registry) *pool {
	f := factory{registry}
	return &pool{
		starts: children(
			f.counters("invocation_starts_total", "Calls by where their worker came from.", "start").WithLabelValues,
			startKinds...),
		queueWait: children(f.histograms(
			"queue_wait_seconds",
			"Time that calls waited for their worker, by where it came from.",
			waitBuckets,
			"start",
		).WithLabelValues, startKinds...),
		run: children(f.histograms(
			"run_seconds",
			"Time that calls spent in their worker, by where it came from.",
			waitBuckets,
			"start",
		).WithLabelValues, startKinds...),
		load: f.histogram(
			"load_seconds",
			"Time to read and compile the code of a function, of the calls that had to.",
			waitBuckets,
		),
		cpu:           f.histogram("call_cpu_seconds", "CPU time that calls used in their worker.", waitBuckets),
		workerStart:   f.histogram("worker_start_seconds", "Time that the start of a worker took.", startBuckets),
		startFailures: f.counter("worker_start_failures_total", "Workers that could not be started."),
		deaths: children(
			f.counters("worker_deaths_total", "Workers that ended, by reason.", "reason").WithLabelValues,
			sandbox.ReasonSyncDeadline,
			sandbox.ReasonDeadline,
			sandbox.ReasonStreamIdle,
			sandbox.ReasonStreamLimit,
			sandbox.ReasonStreamUnread,
			sandbox.ReasonMemory,
			sandbox.ReasonServerMemory,
			sandbox.ReasonHeap,
			sandbox.ReasonExit,
			sandbox.ReasonSignal,
			sandbox.ReasonSyscall,
			sandbox.ReasonProtocol,
			sandbox.ReasonOutput,
			sandbox.ReasonIdleActivity,
			sandbox.ReasonAfterAnswer,
			sandbox.ReasonCanceled,
			sandbox.ReasonRetired,
			sandbox.ReasonEvicted,
			sandbox.ReasonIdle,
			sandbox.ReasonClosed,
		),
		peakMemory: f.histogram(
			"worker_peak_memory_bytes",
			"The most memory that was resident in the life of a worker.",
			memoryBuckets,
		),
		deadlineLag: f.histogram(
			"deadline_lag_seconds",
			"Time from a deadline until the worker was dead.",
			lagBuckets,
		),
		zygoteRestarts: f.counter("zygote_restarts_total", "Fork servers that took the place of one that had ended."),
		refused: children(
			f.counters("invocations_refused_total", "Calls that got no worker, by reason.", "reason").WithLabelValues,
			refusedBusy,
			string(sandbox.BusyQueueFull),
			string(sandbox.BusyQueueTimeout),
			string(sandbox.BusyExpectedWait),
			string(sandbox.BusyNested),
			string(sandbox.BusyTooDeep),
			refusedClosed,
			refusedCanceled,
			refusedFunction,
			refusedNamespace, refusedRate, refusedQuota, refusedDisabled,
		),
		late: children(
			f.counters(
				"after_answer_total",
				"Calls that had left work at their answer, by how that ended.",
				"end",
			).WithLabelValues,
			sandbox.LateFinished,
			sandbox.LateTimers,
			sandbox.LateRefused,
			sandbox.LateDeadline,
			sandbox.LateRoom,
			sandbox.LateClosed,
			sandbox.LateDied,
		),
		lateTime: f.histogram(
			"after_answer_seconds",
			"Time that work went on after the answer of its call.",
			waitBuckets,
		),
		rollbacks: f.counter("rollbacks_total", "Workers that were put back to their snapshot after a call."),
		rollbackFails: children(
			f.counters(
				"rollback_failures_total",
				"Workers that could not be put back to their snapshot and were ended, by cause.",
				"cause",
			).WithLabelValues,
			sandbox.RollbackCauses()...,
		),
		audits: f.counter("rollback_audits_total", "Workers that were compared in full after they were put back."),
		replaced: children(
			f.counters(
				"rollback_replaced_total",
				"Calls that were to be served by workers that are put back and got one of their own, by reason.",
				"reason",
			).WithLabelValues,
			sandbox.AllReplaced()...,
		),
	}
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

// WorkerUsed implements sandbox.Observer.
func (p *pool) WorkerUsed(peakMemory int64) { p.peakMemory.Observe(float64(peakMemory)) }

// ZygoteRestarted implements sandbox.Observer.
func (p *pool) ZygoteRestarted() { p.zygoteRestarts.Inc() }

// InvocationDone implements sandbox.Observer. A kind of start that it does not know is not counted.
func (p *pool) InvocationDone(stats sandbox.Stats) {
	if counter, ok := p.starts[stats.Start]; ok {
		counter.Inc()
		p.queueWait[stats.Start].Observe(stats.Queue.Seconds())
		p.run[stats.Start].Observe(stats.Run.Seconds())
	}
	if stats.Load > 0 {
		p.load.Observe(stats.Load.Seconds())
	}
	if stats.CPU > 0 {
		p.cpu.Observe(stats.CPU.Seconds())
	}
}

// LateWorkEnded implements sandbox.Observer.
func (p *pool) LateWorkEnded(end sandbox.LateEnd, took time.Duration) {
	if counter, ok := p.late[end]; ok {
		counter.Inc()
	}
	if took > 0 {
		p.lateTime.Observe(took.Seconds())
	}
}

// WorkerRolledBack implements sandbox.Observer.
func (p *pool) WorkerRolledBack(_ string, outcome sandbox.RollbackOutcome) {
	if outcome.Audited {
		p.audits.Inc()
	}
	if outcome.Cause == "" {
		p.rollbacks.Inc()
	} else if counter, ok := p.rollbackFails[outcome.Cause]; ok && !outcome.Killed {
		counter.Inc()
	}
}

// RollbackReplaced implements sandbox.Observer.
func (p *pool) RollbackReplaced(why sandbox.Replaced) {
	if counter, ok := p.replaced[why]; ok {
		counter.Inc()
	}
}

// RollbackChanged implements sandbox.Observer: the log tells of it.
func (p *pool) RollbackChanged(sandbox.RollbackFallback) {}

// InvocationRefused implements sandbox.Observer, and counts calls above a limit of the invoker's too.
func (p *pool) InvocationRefused(err error) {
	limit, limited := errors.AsType[*invoke.LimitError](err)
	busy, isBusy := errors.AsType[*sandbox.BusyError](err)
	if reason := reasonOfLimit(err); reason != "" {
		p.refused[reason].Inc()
		return
	}
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
