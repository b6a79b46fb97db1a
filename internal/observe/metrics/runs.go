package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
)

// runBuckets are the original's, with two finer ones before.
var runBuckets = [...]float64{
	0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20,
}

// other stands for all functions above MaxFunctions.
var other = function.Ref{Namespace: "other", ID: "other"}

// Detail says which series of their own functions have.
type Detail string

// The values of Detail.
const (
	DetailAll       Detail = "all"       // each function has some
	DetailNamespace Detail = "namespace" // the functions of a namespace have some together
	DetailOff       Detail = "off"       // none has
)

// runs counts functions and pipelines.
type runs struct {
	detail           Detail
	sampled          func(ctx context.Context) string
	namespaces       *namespaces
	overviewDuration prometheus.Histogram
	overviewTotal    *byStatus
	pipelineDuration prometheus.Histogram
	pipelineTotal    *byStatus
	setupDuration    prometheus.Histogram
	setupTotal       prometheus.Counter
	updateDuration   *prometheus.HistogramVec
	updateTotal      *byStatus

	mu        sync.RWMutex // guards the fields below
	functions map[function.Ref]*functionSeries
	all       []*functionSeries // those of functions, in the order of their first run
}

func newRuns(registry *prometheus.Registry, s *settings) *runs {
	histogram := func(name, help string) prometheus.Histogram {
		h := prometheus.NewHistogram(
			prometheus.HistogramOpts{Name: "backstage_functions_" + name, Help: help, Buckets: runBuckets[:]},
		)
		registry.MustRegister(h)
		return h
	}
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Name: "backstage_functions_" + name, Help: help}
	}
	r := &runs{
		detail: s.functions, sampled: s.sampled, namespaces: newNamespaces(registry),
		overviewDuration: histogram(
			"overview_run_duration_seconds",
			"How many time spent to run all functions in seconds",
		),
		overviewTotal: &byStatus{vec: prometheus.NewCounterVec(
			counter("overview_run_total", "What the portion of executions by status codes"), []string{"status"})},
		pipelineDuration: histogram(
			"pipeline_run_duration_seconds",
			"How many time spent to run a function pipeline in seconds",
		),
		pipelineTotal: &byStatus{vec: prometheus.NewCounterVec(
			counter("pipeline_run_total", "What is the status code of pipelines"), []string{"status"})},
		setupDuration: histogram(
			"function_setup_duration_seconds",
			"How much time spent to setup a function in seconds",
		),
		setupTotal: prometheus.NewCounter(counter("function_setup_total", "How many functions were set up")),
		updateDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "backstage_functions_function_update_duration_seconds",
			Help: "How much time spent to update a function in seconds", Buckets: runBuckets[:],
		}, []string{"status"}),
		updateTotal: &byStatus{vec: prometheus.NewCounterVec(
			counter("function_update_total", "How many functions were updated with status code"), []string{"status"})},
		functions: map[function.Ref]*functionSeries{},
	}
	// Stays at zero: the original's Redis client could lose connections, this one's pool closes what it opens.
	leaks := prometheus.NewCounter(counter("redis_leaks_total", "How many redis leaks in backstage functions"))
	registry.MustRegister(
		r.overviewTotal.vec,
		r.pipelineTotal.vec,
		r.setupTotal,
		r.updateDuration,
		r.updateTotal.vec,
		leaks,
	)
	return r
}

// FunctionRun counts one run of a function.
func (r *runs) FunctionRun(ctx context.Context, ref function.Ref, o invoke.Ending, took time.Duration) {
	switch r.detail {
	case DetailOff:
	case DetailNamespace:
		r.series(function.Ref{Namespace: ref.Namespace}).count(&o, took)
	default:
		r.series(ref).count(&o, took)
	}
	r.namespaces.of(ref.Namespace).Add(o.Stats.CPU.Seconds())
	if !o.Streamed {
		observe(r.overviewDuration, took, r.sampled(ctx))
	}
	r.overviewTotal.inc(o.Status)
}

// observe counts a time, with the ID of a trace that shows where it went unless that is empty.
func observe(to prometheus.Observer, took time.Duration, traceID string) {
	if with, ok := to.(prometheus.ExemplarObserver); ok && traceID != "" {
		with.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": traceID})
		return
	}
	to.Observe(took.Seconds())
}

// PipelineRun counts one run of a pipeline; its steps are counted as functions.
func (r *runs) PipelineRun(status int, took time.Duration) {
	r.pipelineDuration.Observe(took.Seconds())
	r.pipelineTotal.inc(status)
}

// FunctionSetup counts that the code of a function was had for a run.
func (r *runs) FunctionSetup(took time.Duration) {
	r.setupDuration.Observe(took.Seconds())
	r.setupTotal.Inc()
}

// FunctionUpdate counts an attempt to deploy a function.
func (r *runs) FunctionUpdate(status int, took time.Duration) {
	r.updateDuration.WithLabelValues(classes[class(status)]).Observe(took.Seconds())
	r.updateTotal.inc(status)
}

// series returns those of ref, or of other when there is no more room.
func (r *runs) series(ref function.Ref) *functionSeries {
	r.mu.RLock()
	series, ok := r.functions[ref]
	r.mu.RUnlock()
	if ok {
		return series
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.functions[ref]; !ok && len(r.functions) >= MaxFunctions {
		ref = other
		if r.detail == DetailNamespace {
			ref.ID = ""
		}
	}
	series, ok = r.functions[ref]
	if !ok {
		series = newFunctionSeries(ref)
		r.functions[ref] = series
		r.all = append(r.all, series)
	}
	return series
}

// snapshot returns all series; it is not changed later.
func (r *runs) snapshot() []*functionSeries {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.all[:len(r.all):len(r.all)]
}
