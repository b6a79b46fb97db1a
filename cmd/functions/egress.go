package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// openEgress starts the way out for functions and puts it into the pool's configuration.
func openEgress(cfg *config.Config, pool *sandbox.Config, observer egress.Observer, log *slog.Logger) (*egress.Proxy, error) {
	ca := ""
	if cfg.Egress.UseCertFile {
		text, err := os.ReadFile(cfg.Egress.CertFile)
		if err != nil {
			return nil, fmt.Errorf("SSL_CERT_FILE: %w", err)
		}
		ca = string(text)
	}
	proxy, err := egress.New(egress.Options{
		Policy: cfg.Egress.Policy, Namespaces: cfg.Egress.Namespaces, Limits: cfg.Egress.Limits, Observer: observer, Logger: log,
	})
	if err != nil {
		return nil, err
	}
	pool.Egress = sandbox.Egress{Socket: proxy.Socket(), KeepAlive: cfg.Egress.KeepAlive, CA: ca, Watcher: proxy}
	return proxy, nil
}
