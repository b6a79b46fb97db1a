// Package metrics counts what the server does, for Prometheus.
//
// The series whose names begin with backstage_functions_ are those of the original Backstage Functions: same names,
// labels, help and buckets (two finer ones come before), so that dashboards stay. Those that begin with functions_
// tell of the pool. Beside them are the usual ones of the Go runtime and of the process.
//
// A function has up to six counters and one histogram. At most MaxFunctions functions get their own, in the order in
// which they are first run; all others are counted together under namespace="other", id="other". A series stays until
// the process ends, as a counter must.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// MaxFunctions bounds how many functions have series of their own.
const MaxFunctions = 10_000

// Metrics counts runs for the invoker and observes the pool. Use New. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	*runs
	*pool
	*outgoing
	*functionLogs
}

// New returns Metrics with a registry of their own, in which all is zero.
func New() *Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return &Metrics{
		registry: registry, runs: newRuns(registry), pool: newPool(registry), outgoing: newOutgoing(registry),
		functionLogs: newFunctionLogs(registry),
	}
}

// Handler answers with the current values in the Prometheus text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
