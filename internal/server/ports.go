package server

import (
	"crypto/tls"
	"log/slog"
	"maps"
	"net/http"
	"strings"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/httpd/api"
	"github.com/backstage/functions/internal/httpd/certificate"
	"github.com/backstage/functions/internal/httpd/connections"
	"github.com/backstage/functions/internal/observe/metrics"
)

// ports are the listeners with limits on connections. Bodies and answers of all of them count together.
type ports struct {
	api          *connections.Port
	run, metrics *connections.Port // nil when they are off
	bodies       *connections.Bodies
	answers      *connections.Answers
}

// newPorts limits the listeners; those of the API and of RUN_PORT to that many connections each. Secure is the TLS of
// both, nil for none.
func newPorts(cfg *config.Config, l *listeners, most int, secure *tls.Config, log *slog.Logger) *ports {
	p := &ports{bodies: connections.NewBodies(cfg.HTTP.BodyMemory), answers: connections.NewAnswers(cfg.HTTP.AnswerMemory)}
	o := connections.Options{
		Name: "api", Most: most, Read: cfg.HTTP.Read, Body: cfg.HTTP.Body, Write: cfg.HTTP.Write, Probe: isProbe,
		Around: api.Identify, Errors: api.JSONError, TLS: secure, HTTP2: cfg.HTTP2,
		Bodies: p.bodies, Answers: p.answers, Logger: log,
	}
	p.api = connections.New(l.http, o)
	if l.run != nil {
		o.Name, o.Probe = "run", isRunProbe
		p.run = connections.New(l.run, o)
	}
	if l.metrics != nil {
		o.Name, o.Probe, o.Most, o.WholeAnswers = "metrics", isProbe, cfg.MetricsMaxConnections, true
		o.Errors, o.TLS, o.HTTP2 = nil, nil, false
		p.metrics = connections.New(l.metrics, o)
	}
	return p
}

// all are the ports that are there, by their names.
func (p *ports) all() map[string]*connections.Port {
	all := map[string]*connections.Port{"api": p.api, "run": p.run, "metrics": p.metrics}
	maps.DeleteFunc(all, func(_ string, port *connections.Port) bool { return port == nil })
	return all
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

// isRunProbe is isProbe for RUN_PORT, where a stored route may have the path of the original's.
func isRunProbe(r *http.Request) bool {
	return isProbe(r) && !strings.EqualFold(strings.TrimSuffix(r.URL.Path, "/"), "/healthcheck")
}

// open counts the connections of callers.
func (p *ports) open() (n int) {
	for _, port := range p.all() {
		n += port.Stats().Open
	}
	return n
}

// watch gives the ports, and what is shown to callers on them, to the metrics. Shown is nil without TLS.
func (p *ports) watch(m *metrics.Metrics, shown *certificate.Pair) {
	stats := map[string]func() connections.Stats{}
	for name, port := range p.all() {
		stats[name] = port.Stats
	}
	c := metrics.Connections{Ports: stats, Bodies: p.bodies.Stats, Answers: p.answers.Stats}
	if shown != nil {
		c.Expires = shown.NotAfter
	}
	m.WatchConnections(c)
}
