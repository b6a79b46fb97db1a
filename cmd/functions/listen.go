package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/backstage/functions/internal/api"
	"github.com/backstage/functions/internal/config"
)

// Bounds on one connection. Bodies have no deadline of their own within readTimeout, and answers none: a slow caller waits alone.
const (
	headerTimeout  = 10 * time.Second
	readTimeout    = 60 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 128 << 10
)

// listeners are the server's ports, taken before anything else is started.
type listeners struct {
	http    net.Listener
	metrics net.Listener // nil when it is off
}

func listen(cfg *config.Config) (*listeners, error) {
	l := new(listeners)
	var err error
	if l.http, err = net.Listen("tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port))); err != nil {
		return nil, fmt.Errorf("PORT: %w", err)
	}
	if !cfg.Metrics {
		return l, nil
	}
	if l.metrics, err = net.Listen("tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.MetricsPort))); err != nil {
		return nil, errors.Join(fmt.Errorf("METRICS_PORT: %w", err), l.http.Close())
	}
	return l, nil
}

// close closes what the HTTP servers have not closed.
func (l *listeners) close() error {
	var errs []error
	for _, listener := range []net.Listener{l.http, l.metrics} {
		if listener != nil {
			if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// serveHTTP serves until ctx ends or a listener fails, then lets the calls in progress finish. The metrics port goes last, so that
// it can be asked until then.
func serveHTTP(ctx context.Context, l *listeners, handler, metricsHandler http.Handler, log *slog.Logger, drain time.Duration) error {
	var servers []*http.Server
	failed := make(chan error, 2)
	start := func(listener net.Listener, handler http.Handler) {
		server := newServer(handler, log)
		servers = append(servers, server)
		go func() { failed <- server.Serve(listener) }()
	}
	start(api.JSONErrors(l.http), handler)
	if l.metrics != nil {
		start(l.metrics, metricsHandler)
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		log.Info("Functions is stopping: calls in progress are finished first")
	}
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	for _, server := range servers {
		err = errors.Join(err, server.Shutdown(bound))
	}
	return err
}

func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
