// Package metrics counts what the server does, for Prometheus.
//
// The series whose names begin with backstage_functions_ are those of the original Backstage Functions: same names,
// labels, help and buckets (two finer ones come before), so that dashboards stay. Those that begin with functions_
// tell of the pool, the store, the cache, HTTP and egress. Beside them are the usual ones of the Go runtime and of the
// process. docs/operations.md says of each what to do when it moves.
//
// Every label has a bounded number of values, whatever callers send. A function has up to five counters and one histogram.
// At most MaxFunctions functions get their own, in the order in which they are first run; all others are counted together
// under namespace="other", id="other". Namespaces are bounded alike. A series stays until the process ends, as a counter
// must.
package metrics

import (
	"net/http"
	"regexp"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

// MaxFunctions bounds how many functions have series of their own.
const MaxFunctions = 10_000

// Metrics counts runs for the invoker, requests for the API and operations of the store, and observes the pool and egress.
// Use New. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	*runs
	*pool
	*outgoing
	*lines
	*storage
	*requests
}

// Option changes what New makes.
type Option func(*settings)

type settings struct {
	runtime           []collectors.GoRuntimeMetricsRule // which metrics of the Go runtime to add
	version, revision string
}

// WithRuntime adds every metric of the Go runtime that package runtime/metrics has, about a hundred.
func WithRuntime() Option {
	return func(s *settings) { s.runtime = []collectors.GoRuntimeMetricsRule{{Matcher: regexp.MustCompile("/.*")}} }
}

// WithBuild says what the server was built from, for functions_build_info.
func WithBuild(version, revision string) Option {
	return func(s *settings) { s.version, s.revision = version, revision }
}

// New returns Metrics with a registry of their own, in which all is zero.
func New(options ...Option) *Metrics {
	var s settings
	for _, option := range options {
		option(&s)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(s.runtime...)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	factory{registry}.build(s.version, s.revision)
	return &Metrics{
		registry: registry, runs: newRuns(registry), pool: newPool(registry), outgoing: newOutgoing(registry),
		lines:   newLines(registry),
		storage: newStorage(registry), requests: newRequests(registry),
	}
}

// Handler answers with the current values in the Prometheus text format 0.0.4, whatever else the caller would take: the
// series of functions, which may be many, are written by hand (see writeTo).
func (m *Metrics) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		families, err := m.registry.Gather()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		format := expfmt.NewFormat(expfmt.TypeTextPlain)
		w.Header().Set("Content-Type", string(format))
		encoder := expfmt.NewEncoder(w, format)
		for _, family := range families {
			if err := encoder.Encode(family); err != nil {
				return // the caller is gone
			}
		}
		_ = m.writeTo(w) // as above
	})
}
