package server

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/internal/httpd/api"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/observe/metrics"
	"github.com/backstage/functions/internal/observe/sentry"
	"github.com/backstage/functions/internal/observe/trace"
	"github.com/backstage/functions/internal/store"
)

// observers report what happens: metrics, traces, Sentry.
type observers struct {
	sentry *sentry.Reporter
	tracer *trace.Tracer // nil when traces are off
	log    *slog.Logger
}

// openObservers starts them. Outside says what functions, and reports to addresses that their authors choose, may
// reach.
func openObservers(
	ctx context.Context, cfg *config.Config, node *nodeInstall, outside egress.Options, log *slog.Logger,
) (*observers, error) {
	reporter, err := sentry.New(sentry.Options{
		DSN: string(cfg.SentryDSN), Modules: moduleVersions(node, cfg.Modules), Dial: egress.NewDialer(outside).Dial,
		Logger: log,
	})
	if err != nil {
		return nil, fmt.Errorf("SENTRY_DSN: %w", err)
	}
	o := &observers{sentry: reporter, log: log}
	if !cfg.Trace.On {
		return o, nil
	}
	o.tracer, err = trace.New(ctx, trace.Options{
		Endpoint: cfg.Trace.Endpoint, Protocol: cfg.Trace.Protocol, Service: cfg.Trace.Service, Instance: cfg.Trace.Instance,
		Propagators: cfg.Trace.Propagators, Answer: cfg.Trace.Answer,
	})
	if err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

// invoke sets the observers of runs.
func (o *observers) invoke(options invoke.Options) invoke.Options {
	options.Reporter = o.sentry
	if o.tracer != nil {
		options.Tracer = o.tracer
	}
	return options
}

// egress sets the observers of connections.
func (o *observers) egress(options egress.Options) egress.Options {
	if o.tracer != nil {
		options.Tracer = o.tracer
	}
	return options
}

// handlers makes the server's handlers, with spans around them.
func (o *observers) handlers(options api.Options, services ...api.Service) api.Handlers {
	options.Services = append([]api.Service{{Name: "Sentry", Check: o.sentry.Check}}, services...)
	if o.tracer == nil {
		return api.New(options)
	}
	options.Routed = o.tracer.Route
	handlers := api.New(options).Around(o.tracer.Handler)
	if options.Auth == api.AuthOff {
		return handlers
	}
	return handlers.Around(api.HideKeys)
}

// store returns s whose operations are measured, within a span of their own if traces are on.
func (o *observers) store(s store.Store, measures *metrics.Metrics) store.Store {
	if o.tracer == nil {
		return store.Observe(s, measures.Store)
	}
	return store.Observe(s, o.tracer.Store, measures.Store)
}

// logStart logs what is reported where.
func (o *observers) logStart(cfg *config.Config) {
	if cfg.SentryDSN == "" {
		o.log.Info("Does not have global sentry")
	}
	if o.tracer != nil {
		o.log.Info("Traces: sent over " + cfg.Trace.Protocol + " as " + cfg.Trace.Service)
	}
}

// close sends what still waits. If nobody receives it, that is not an error of the server.
func (o *observers) close() {
	o.sentry.Close()
	if o.tracer == nil {
		return
	}
	if err := o.tracer.Close(); err != nil {
		o.log.Warn("The last traces could not be sent", "error", err)
	}
}
