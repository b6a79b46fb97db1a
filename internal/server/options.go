package server

import (
	"context"
	"net/http"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/deploy"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/api"
	"github.com/backstage/functions/internal/httpd/connections"
	"github.com/backstage/functions/internal/httpd/forwarded"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/observe/trace"
	"github.com/backstage/functions/internal/stacktrace"
	"github.com/backstage/functions/internal/store"
	"github.com/backstage/functions/internal/store/hook"
	"github.com/backstage/functions/sandbox"
)

// invokeOptions are what calls are made by.
func (s *server) invokeOptions() invoke.Options {
	return invoke.Options{
		Pool: s.pool, Source: &deploy.Source{Store: s.store, Deployer: s.deploys},
		Recorder: s.measures, Output: s.out.functions, Logger: s.log(),
		Concurrency: invoke.Concurrency{
			Function:  s.cfg.MaxConcurrencyFunction,
			Namespace: s.cfg.MaxConcurrencyNamespace,
		},
		OwnerSeparator:     s.cfg.OwnerSeparator,
		CancelOnDisconnect: s.cfg.CancelOnDisconnect,
		RollBack:           s.cfg.Reuse == function.ReuseRollback,
		CutAfterAnswer:     s.cfg.AfterAnswer == function.AfterAnswerCut,
		SyncTimeout:        s.cfg.SyncTimeout,
		PipelineTimeout:    s.cfg.PipelineTimeout,
		StepBytes:          s.cfg.ResponseLimit / 4 * 3,
		Bounds:             functionBounds(s.cfg),
		Stacks:             stacktrace.New(stacktrace.Options{Sources: s.store, CPU: s.work, Logger: s.log()}),
		Secrets:            s.secrets,
		Refused:            s.measures.InvocationRefused,
		Limits:             s.limiter,
		Stepped:            s.out.stepped,
	}
}

// apiOptions are what the API serves and asks, for the life of ctx.
func (s *server) apiOptions(ctx context.Context) api.Options {
	options := api.Options{
		Store: store.Observe(s.store, hook.OnChange(s.changedHere)), Invoker: s.invoker,
		Builder: s.deploys, Runtimes: s.pool.Runtimes,
		Rendering: s.work, Reach: reachOf(s.cfg),
		Routes: s.routes, Sockets: s.sockets, TrustedProxies: s.cfg.TrustedProxies,
		Bounds:    functionBounds(s.cfg),
		Defaults:  functionDefaults(s.cfg),
		Isolation: func() any { return runtimeStatuses(s.pool) },
		HTTPStats: s.exit.HTTPStats, NestingOf: s.nestingOf, HeaderNames: connections.HeaderNames, Livez: s.probes.Livez,
		Readyz:    s.probes.Readyz,
		BodyLimit: s.cfg.BodyLimit, CodeLimit: s.cfg.CodeLimit, BodyDepth: s.cfg.BodyDepth,
		Grow: connections.Grow, Shrink: connections.Shrink, Sending: connections.OnSending,
		Unread:   api.Unread{Begin: connections.BeginStream, Taken: connections.TakenBy, Cut: connections.Cut},
		MaxSteps: s.cfg.PipelineMaxSteps, BatchInputs: s.cfg.BatchInputs, Spare: s.spareForBatch, Paced: connections.Paced,
		HiddenEnv: s.cfg.HiddenEnv, Logger: s.log(),
		FunctionLog: func(ref function.Ref, line string) {
			s.out.functions.Print(ref, sandbox.LogLine{Level: "error", Text: line})
		},
		DeployLog: func(ref function.Ref, requestID, line string) {
			s.out.tell(ref, function.Owner(ref.Namespace, s.cfg.OwnerSeparator), requestID, line)
		},
		SocketLog: s.out.socketLog(s.cfg.Access),
		AccessLog: s.out.accessLog(s.cfg.Access, s.traceID()), Served: s.measures.Served,
		Updated: s.measures.FunctionUpdate, TraceID: s.traceID(),
		Client: func(r *http.Request) string { return clientOf(forwarded.Addr(r, s.cfg.TrustedProxies)) },
		Owner:  func(namespace string) string { return function.Owner(namespace, s.cfg.OwnerSeparator) },
		Logs:   keptLogs(s.cfg, s.store), StoreFault: storeFault(s.measures),
		Life: ctx,
	}
	options.Secrets = s.secrets
	s.auth(&options)
	s.audited(&options)
	if s.cfg.Calls.Kept != config.KeepNone {
		options.Kept = s.store
	}
	if s.calls != nil {
		options.CallbackTo = s.callbackTo
		options.Calls, options.CallTimes = s.calls, api.CallTimes{Keep: s.cfg.Calls.Keep, KeepDead: s.cfg.Calls.KeepDead}
	}
	return options
}

// traceID is trace.ID where there are traces. Elsewhere nobody looks for one.
func (s *server) traceID() func(ctx context.Context) string {
	if s.cfg.Trace.On {
		return trace.ID
	}
	return func(context.Context) string { return "" }
}
