package server

import (
	"log/slog"
	"net/http"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/httpd/api"
	"github.com/backstage/functions/internal/httpd/reach"
)

// reachOf says which callers the ports answer.
func reachOf(cfg *config.Config) api.Reach {
	r := api.Reach{LocalOnly: cfg.Protected(), Origins: cfg.AllowedOrigins}
	if cfg.AllowedHosts != nil {
		r.Hosts = reach.NewHosts(cfg.AllowedHosts...)
		r.RunHosts = r.Hosts
	} else if r.LocalOnly {
		r.Hosts = reach.Loopback()
	}
	return r
}

// protectMetrics has next serve callers on this machine alone, if nobody has said that others may reach the metrics.
func protectMetrics(cfg *config.Config, next *http.ServeMux) http.Handler {
	if !cfg.MetricsProtected() {
		return next
	}
	hosts := reach.Loopback()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := next.Handler(r)
		switch {
		case pattern == livez || pattern == readyz:
			next.ServeHTTP(w, r)
		case !reach.IsLocal(r):
			refuseMetrics(w, http.StatusForbidden, `{"error":"Only callers on this machine are answered, because neither `+
				`METRICS_HOST nor HOST is set, and METRICS_AUTH is off: set METRICS_HOST to the address to listen on, such as `+
				`0.0.0.0, or have METRICS_AUTH ask for keys, or come over loopback","reason":"protected"}`)
		case !hosts.Allow(r.Host):
			refuseMetrics(w, http.StatusMisdirectedRequest, `{"error":"While neither METRICS_HOST nor HOST is set, this `+
				`port is to be asked for localhost or a loopback address","reason":"host"}`)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func refuseMetrics(w http.ResponseWriter, status int, answer string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(answer)) // an error says that the caller is gone
}

// logReach says who is not served.
func logReach(cfg *config.Config, log *slog.Logger) {
	if cfg.Protected() {
		log.Info("Callers: those on this machine alone, because AUTH and HOST are not set. AUTH=on serves others who show " +
			"a key, HOST=0.0.0.0 everyone who reaches the port")
	}
}

// reachFindings are what the check of a migration says of callers that are not answered any more.
func reachFindings(cfg *config.Config) (texts []string) {
	if cfg.Protected() {
		texts = append(texts, "HOST and AUTH are not set: callers that are not on this machine are answered 403, and those "+
			"that ask for another host than localhost 421. Backstage Functions answered everybody. HOST=0.0.0.0 does so "+
			"here, AUTH=on or log asks for keys")
	}
	if cfg.MetricsProtected() {
		texts = append(texts, "METRICS_HOST and HOST are not set: on the metrics port callers that are not on this machine, "+
			"such as Prometheus, are answered 403, but for /livez and /readyz. METRICS_HOST=0.0.0.0 serves everybody")
	}
	return texts
}
