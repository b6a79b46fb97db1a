package server

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/httpd/api"
	"github.com/backstage/functions/internal/httpd/connections"
	"github.com/backstage/functions/internal/observe/metrics"
)

// ports are the listeners with limits on connections. Bodies and answers of both count together.
type ports struct {
	api, metrics *connections.Port // metrics is nil when they are off
	bodies       *connections.Bodies
	answers      *connections.Answers
}

// newPorts limits the listeners; that of the API to that many connections.
func newPorts(cfg *config.Config, l *listeners, most int, log *slog.Logger) *ports {
	p := &ports{bodies: connections.NewBodies(cfg.HTTP.BodyMemory), answers: connections.NewAnswers(cfg.HTTP.AnswerMemory)}
	o := connections.Options{
		Name: "api", Most: most, Read: cfg.HTTP.Read, Body: cfg.HTTP.Body, Write: cfg.HTTP.Write, Probe: isProbe,
		Around: api.Identify,
		Bodies: p.bodies, Answers: p.answers, Logger: log,
	}
	p.api = connections.New(api.JSONErrors(l.http), o)
	if l.metrics != nil {
		o.Name, o.Most, o.WholeAnswers = "metrics", cfg.MetricsMaxConnections, true
		p.metrics = connections.New(l.metrics, o)
	}
	return p
}

// isProbe says whether r is a probe. Probes are always answered: otherwise a busy server would be restarted.
func isProbe(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	switch strings.ToLower(strings.TrimSuffix(r.URL.Path, "/")) {
	case "/livez", "/readyz", "/healthcheck":
		return true
	}
	return false
}

// open counts the connections of callers.
func (p *ports) open() int {
	n := p.api.Stats().Open
	if p.metrics != nil {
		n += p.metrics.Stats().Open
	}
	return n
}

// watch gives the ports to the metrics.
func (p *ports) watch(m *metrics.Metrics) {
	stats := map[string]func() connections.Stats{"api": p.api.Stats}
	if p.metrics != nil {
		stats["metrics"] = p.metrics.Stats
	}
	m.WatchConnections(metrics.Connections{Ports: stats, Bodies: p.bodies.Stats, Answers: p.answers.Stats})
}
