// Package metrics counts what the server does, for Prometheus.
//
// The series whose names begin with backstage_functions_ are those of the original Backstage Functions: same names,
// labels, help and buckets (two finer ones come before), so that dashboards stay. Those that begin with functions_ tell
// of the pool, the store, the cache, HTTP and egress. Those that begin with nodejs_ are what comes nearest to what the
// original had of its Node.js. In addition there are the usual ones of the Go runtime and of the process.
// docs/operations.md says of each what to do when it moves.
//
// Every label has a bounded number of values, whatever callers send. A function has up to five counters and two
// histograms. At most MaxFunctions functions get their own, in the order in which they are first run; all others are
// counted together under namespace="other", id="other". Namespaces are bounded alike. A series stays until the process
// ends, as a counter must. WithFunctions has fewer of them.
package metrics

import (
	"context"
	"regexp"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// MaxFunctions bounds how many functions have series of their own.
const MaxFunctions = 10_000

// Metrics counts runs for the invoker, requests for the API and operations of the store, and observes the pool and
// egress. Use New. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	*runs
	*pool
	*outgoing
	*lines
	*storage
	*requests
	*streams
	*runtimeChanges
	*builds
	*audits
	*calls
	*callbacks
	*secretErrors
}

// Option changes what New makes.
type Option func(*settings)

type settings struct {
	version, revision string
	runtime           []collectors.GoRuntimeMetricsRule // which metrics of the Go runtime to add
	functions         Detail
	sampled           func(ctx context.Context) string
}

// WithFunctions says which series of their own functions have. DetailAll is the default.
func WithFunctions(d Detail) Option { return func(s *settings) { s.functions = d } }

// WithTrace adds exemplars to histograms of time: sampled returns the ID of the trace that ctx belongs to, empty if
// that is not sent.
func WithTrace(sampled func(ctx context.Context) string) Option {
	return func(s *settings) { s.sampled = sampled }
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
	s := settings{functions: DetailAll, sampled: func(context.Context) string { return "" }}
	for _, option := range options {
		option(&s)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(s.runtime...)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	newProcess(registry)
	factory{registry}.build(s.version, s.revision)
	return &Metrics{
		registry: registry, runs: newRuns(registry, &s), pool: newPool(registry), outgoing: newOutgoing(registry),
		lines:   newLines(registry),
		storage: newStorage(registry), requests: newRequests(registry, s.sampled),
		streams: newStreams(registry), runtimeChanges: newRuntimeChanges(registry), builds: newBuilds(registry),
		audits:       newAudits(registry),
		calls:        newCalls(registry),
		callbacks:    newCallbacks(registry),
		secretErrors: newSecretErrors(registry),
	}
}
