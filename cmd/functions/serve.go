package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/backstage/functions/internal/api"
	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/connections"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/trace"
	"github.com/backstage/functions/sandbox"
)

// garbage is how much memory, in percent of what is in use, may be garbage before it is collected: the server uses little, and collecting as
// often as Go does by default would cost a tenth of its time.
const garbage = 400

// serve runs the server until ctx ends.
func serve(ctx context.Context) (err error) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	load := loader(os.Environ())
	cfg, node, err := configure(ctx, load)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	measures := newMetrics(cfg)
	out, err := openOutputs(cfg, measures.LinesDropped)
	if err != nil {
		return err
	}
	defer closeInto(&err, out.close)
	out.app.Info("Functions " + thisBuild().String())
	out.app.Info(limitMemory(ctx, cfg.Memory()))
	if err := applyEnvironment(cfg, out.app); err != nil {
		return err
	}
	listeners, err := listen(cfg)
	if err != nil {
		return err
	}
	defer closeInto(&err, listeners.close)
	ports := newPorts(cfg, listeners, fitConnections(cfg, out.app), out.app)
	ports.watch(measures)
	store, err := openStore(ctx, cfg, out.app)
	if err != nil {
		return err
	}
	defer closeInto(&err, store.Close)
	outside := egressOptions(cfg, measures, out.app)
	watch, err := openObservers(ctx, cfg, node, outside, out.app)
	if err != nil {
		return err
	}
	defer watch.close()
	defer closeInto(&err, serveBackups(cfg, store, out.app))
	watchDisk(store, measures)
	counted := &watchedStore{store, measures.Store}
	store = watch.store(counted)
	defer closeInto(&err, out.keepLines(cfg, store, measures.LogLinesDropped))
	workers := poolConfig(cfg, node, poolLog{measures, out.app})
	exit, err := openEgress(cfg, &workers, watch.egress(outside))
	if err != nil {
		return err
	}
	defer closeInto(&err, exit.Close)
	pool, err := sandbox.NewRuntimes(ctx, workers, node.runtimes)
	if err != nil {
		return fmt.Errorf("workers cannot start: %w%s", err, isolationHint(ctx, workers, node))
	}
	end := newDrain(cfg.ShutdownTimeout)
	closePool := func() error { return pool.Shutdown(end.until()) }
	defer closeInto(&err, closePool)
	measures.WatchPool(pool.Stats)
	invoker := invoke.New(watch.invoke(invoke.Options{
		Pool: pool, Source: store, Recorder: measures, Output: out.functions, Logger: out.app,
		Concurrency:        invoke.Concurrency{Function: cfg.MaxConcurrencyFunction, Namespace: cfg.MaxConcurrencyNamespace},
		OwnerSeparator:     cfg.OwnerSeparator,
		CancelOnDisconnect: cfg.CancelOnDisconnect, PipelineTimeout: cfg.PipelineTimeout, Refused: measures.InvocationRefused,
	}))
	measures.WatchCache(invoker.CacheStats)
	probes := newHealth(out.app, pool, store, invoker)
	context.AfterFunc(ctx, probes.NotReady)
	go store.Watch(ctx, invoker.Changed)
	go watchStore(ctx, counted)
	reload := newReloader(cfg, load, out, outside.Policies, workers.Egress.CA)
	go reload.watch(ctx, hangups, stop)
	watch.greet(cfg)
	greet(out.app, cfg, listeners, store, node, pool)
	handler := watch.handler(api.Options{
		Store: announcing{store, invoker.Changed}, Invoker: invoker, Runtimes: pool.Names(),
		Isolation: func() any { return runtimeStatuses(pool, node) }, HTTPStats: exit.HTTPStats, DepthOf: exit.DepthOf, Livez: probes.Livez, Readyz: probes.Readyz,
		BodyLimit: cfg.BodyLimit, Grow: connections.Grow, Shrink: connections.Shrink, MaxSteps: cfg.PipelineMaxSteps, Logger: out.app,
		FunctionLog: func(ref function.Ref, line string) {
			out.functions.Print(ref, sandbox.LogLine{Level: "error", Text: line})
		},
		AccessLog: out.accessLog(cfg.Access), Served: measures.Served, TraceID: trace.ID,
		Logs: keptLogs(cfg, store), StoreFault: storeFault(measures),
		Life: ctx,
	})
	front := &frontend{cfg: cfg, log: out.app, listeners: listeners, ports: ports, drain: end, cut: closePool}
	return front.serve(ctx, handler, metricsHandler(cfg, measures, probes))
}

func closeInto(err *error, closer func() error) { *err = errors.Join(*err, closer()) }

// poolConfig is the pool's part of the configuration.
func poolConfig(cfg *config.Config, node *nodeInstall, observer sandbox.Observer) sandbox.Config {
	pool := sandbox.DefaultConfig()
	pool.Runner = node.runner
	pool.Size, pool.Prewarmed, pool.Reserve = cfg.PoolSize, cfg.PoolPrewarmed, cfg.PoolReserve
	pool.MaxInvocations, pool.IdleTimeout = cfg.MaxInvocations, cfg.IdleTimeout
	pool.QueueSize, pool.QueueTimeout = cfg.QueueSize, cfg.QueueTimeout
	pool.SyncTimeout, pool.AsyncTimeout = cfg.SyncTimeout, cfg.AsyncTimeout
	pool.Modules, pool.Isolation = cfg.Modules, cfg.Isolation
	pool.Limits.Memory, pool.Limits.CPU = cfg.MemoryLimit, cfg.CPULimit
	// A body may grow to six times its size when it is written as a JSON string, and a call carries code and body.
	pool.Limits.Frame = max(pool.Limits.Frame, int(8*cfg.BodyLimit))
	pool.Env = mustJSON(cfg.ExposeEnv)
	pool.Observer = observer
	return pool
}

func mustJSON(env *function.Env) json.RawMessage {
	text, err := env.MarshalJSON()
	if err != nil { // an Env always marshals
		panic(err)
	}
	return text
}

// greet says in a few lines what runs where.
func greet(log *slog.Logger, cfg *config.Config, l *listeners, store store, node *nodeInstall, pool *sandbox.Runtimes) {
	log.Info("Functions is listening on port " + port(l.http))
	if l.metrics != nil {
		log.Info("Functions metrics is listening on port " + port(l.metrics))
	}
	log.Info("Store: " + store.Name() + storePlace(cfg))
	log.Info(fmt.Sprintf("Runtimes: %s; %d workers at most, %d kept ready", node.names(), cfg.PoolSize, cfg.PoolPrewarmed))
	log.Info("Isolation: " + pool.Isolation())
	logMissing(log, pool.Report())
	for _, name := range cfg.Ignored {
		log.Warn(name + " is set but has no effect in this version")
	}
	log.Info("Deploy a function: curl -X PUT http://localhost:" + port(l.http) + "/functions/example/hello -H 'content-type: application/json'" +
		` -d '{"code": "function main(req, res) { res.send({ say: \"hello\" }) }"}'`)
}
