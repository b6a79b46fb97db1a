package server

import (
	"net/http"
	"net/http/pprof"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/httpd/health"
	"github.com/backstage/functions/internal/observe/metrics"
	"github.com/backstage/functions/internal/observe/trace"
)

func newMetrics(cfg *config.Config, b Build) *metrics.Metrics {
	options := []metrics.Option{
		metrics.WithBuild(b.Version, b.Revision), metrics.WithFunctions(metrics.Detail(cfg.MetricsFunctions)),
		metrics.WithTrace(trace.Sampled),
	}
	if cfg.PProf {
		options = append(options, metrics.WithRuntime())
	}
	return metrics.New(options...)
}

// The probes on METRICS_PORT.
const (
	livez  = "GET /livez"
	readyz = "GET /readyz"
)

// metricsHandler serves METRICS_PORT, which is only for operators. Its probes are for everybody.
func metricsHandler(cfg *config.Config, measures *metrics.Metrics, probes *health.Health) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", measures.Handler())
	mux.HandleFunc(livez, probes.Livez)
	mux.HandleFunc(readyz, probes.Readyz)
	if cfg.PProf {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return protectMetrics(cfg, mux)
}
