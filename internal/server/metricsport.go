package server

import (
	"net/http"
	"net/http/pprof"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/httpd/health"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/observe/metrics"
	"github.com/backstage/functions/internal/observe/trace"
)

func newMetrics(cfg *config.Config, b Build) *metrics.Metrics {
	options := []metrics.Option{
		metrics.WithBuild(b.Version, b.Revision), metrics.WithFunctions(metrics.Detail(cfg.MetricsFunctions)),
	}
	if cfg.Trace.On {
		options = append(options, metrics.WithTrace(trace.Sampled))
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

// metricsHandler serves METRICS_PORT, which is only for operators. Its probes are for everybody. Keyed asks callers of
// a handler for a key.
func metricsHandler(
	cfg *config.Config, measures *metrics.Metrics, probes *health.Health,
	keyed func(role identity.Role, next http.Handler) http.Handler,
) http.Handler {
	if cfg.MetricsAuth != config.AuthOn {
		keyed = func(_ identity.Role, next http.Handler) http.Handler { return next }
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", keyed(identity.Invoke, measures.Handler()))
	mux.HandleFunc(livez, probes.Livez)
	mux.HandleFunc(readyz, probes.Readyz)
	if cfg.PProf {
		for path, serve := range map[string]http.HandlerFunc{
			"": pprof.Index, "cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace,
		} {
			mux.Handle("GET /debug/pprof/"+path, keyed(identity.Admin, serve))
		}
	}
	return protectMetrics(cfg, mux)
}
