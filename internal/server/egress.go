package server

import (
	"log/slog"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// egressOptions are the policy for functions and for what they make the server reach.
func egressOptions(cfg *config.Config, observer egress.Observer, log *slog.Logger) egress.Options {
	return egress.Options{
		Policies: egress.NewPolicies(cfg.Egress.Policy, cfg.Egress.Namespaces), OwnerSeparator: cfg.OwnerSeparator,
		Upstream: cfg.Egress.Upstream, Limits: cfg.Egress.Limits, Observer: observer, Logger: log,
	}
}

// openEgress starts the egress proxy and puts it into the pool's configuration.
func openEgress(
	cfg *config.Config, pool *sandbox.Config, trusted authorities, options egress.Options,
) (*egress.Proxy, error) {
	proxy, err := egress.New(options)
	if err != nil {
		return nil, err
	}
	pool.Egress = sandbox.Egress{
		Socket: proxy.Socket(), KeepAlive: cfg.Egress.KeepAlive, Watcher: proxy,
		TLSInsecure: cfg.Egress.TLSInsecure,
	}
	trusted.egress(&pool.Egress)
	return proxy, nil
}

// nestingOf says which calls of functions wait for what comes over a connection from that address.
func (s *server) nestingOf(remote string) (n invoke.Nesting) {
	n.Depth, n.Background = s.exit.NestingOf(remote)
	return n
}
