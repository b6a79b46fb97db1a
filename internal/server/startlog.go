package server

import (
	"fmt"
	"strings"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// logStart logs in a few lines what runs where.
func (s *server) logStart() {
	log, cfg := s.out.app, s.cfg
	s.watch.logStart(cfg)
	log.Info("Functions is listening on port " + port(s.listeners.http))
	if s.listeners.metrics != nil {
		log.Info("Functions metrics is listening on port " + port(s.listeners.metrics))
	}
	if s.listeners.run != nil {
		log.Info("Functions is listening for runs alone on port " + port(s.listeners.run))
	}
	logReach(cfg, log)
	log.Info("Store: " + s.store.Name() + storePlace(cfg))
	later := ""
	if cfg.PoolSpare > 0 {
		later = fmt.Sprintf(" and up to %d more in a while", cfg.PoolSpare)
	}
	log.Info(fmt.Sprintf("Runtimes: %s; %d workers at most, %d that compute, %s kept ready%s",
		namesOf(s.pool.Runtimes()), cfg.PoolSize, cfg.PoolActive, keptReady(s.pool), later))
	workers := s.pool.Snapshot()
	log.Info("Isolation: " + workers.Summary)
	logMissing(log, workers.Runtimes)
	if cfg.Reuse == function.ReuseRollback {
		logNotPutBack(log, workers.Runtimes)
	}
	logModules(log, workers.Runtimes, s.node)
	if proxy := cfg.Egress.Upstream; proxy != nil {
		log.Info("Egress: through the proxy " + proxy.String())
	}
	for _, name := range cfg.Ignored {
		log.Warn(name + " is set but has no effect in this version")
	}
	scheme := "http"
	if s.certificate != nil {
		scheme = "https"
	}
	key := ""
	if cfg.Auth == config.AuthOn {
		key = ` -H "authorization: Bearer $(cat ` + cfg.AdminKeyFile + `)"`
	}
	log.Info("Deploy a function: curl -X PUT " + scheme + "://localhost:" + port(s.listeners.http) +
		"/functions/example/hello -H 'content-type: application/json'" + key +
		` -d '{"code": "function main(req, res) { res.send({ say: \"hello\" }) }"}'`)
}

// keptReady is how many workers are kept ready, for each runtime if there are several: "2 of node8, 1 of node24".
func keptReady(pool *sandbox.Pool) string {
	status, runtimes := pool.Snapshot().Runtimes, pool.Runtimes()
	if len(runtimes) == 1 {
		return fmt.Sprint(status[runtimes[0].Name].Prewarmed)
	}
	var all []string
	for _, runtime := range runtimes {
		all = append(all, fmt.Sprintf("%d of %s", status[runtime.Name].Prewarmed, runtime.Name))
	}
	return strings.Join(all, ", ")
}
