// Package server puts the rooms together: it starts them in order, has them serve, and stops them in the opposite
// order.
package server

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"

	"github.com/backstage/functions/internal/calls"
	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/cpulimit"
	"github.com/backstage/functions/internal/deploy"
	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/internal/httpd/certificate"
	"github.com/backstage/functions/internal/httpd/compress"
	"github.com/backstage/functions/internal/httpd/connections"
	"github.com/backstage/functions/internal/httpd/health"
	"github.com/backstage/functions/internal/httpd/routes"
	"github.com/backstage/functions/internal/httpd/sockets"
	"github.com/backstage/functions/internal/identity/oidc"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/internal/observe/auditlog"
	"github.com/backstage/functions/internal/observe/metrics"
	"github.com/backstage/functions/internal/records"
	"github.com/backstage/functions/internal/secrets"
	"github.com/backstage/functions/internal/store"
	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/hostinfo"
)

// Options are what a server needs to know in addition to its configuration.
type Options struct {
	// Environ are the variables of the environment, as os.Environ has them.
	Environ []string
	Build   Build
	// Reload triggers a reload of the configuration with each value.
	Reload <-chan os.Signal
}

// Run serves until ctx ends. If the configuration has errors, it returns a *config.LoadError and has started nothing.
func Run(ctx context.Context, o Options) error {
	setGarbage()
	load := loader(o.Environ)
	cfg, node, err := configure(ctx, load)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{
		Options: o, load: load, cfg: cfg, node: node, cancel: cancel, measures: newMetrics(cfg, o.Build),
		work: cpulimit.New(runtime.GOMAXPROCS(0)),
	}
	return runSteps(ctx, s.steps(), s.log, s.serve)
}

// server is a server that starts or runs. Each step sets fields for the steps after it.
type server struct {
	Options
	load   func() (*config.Config, error)
	cfg    *config.Config
	node   *nodeInstall
	cancel context.CancelFunc // stops the server
	work   cpulimit.Limiter   // large reads of the store, and large answers

	measures    *metrics.Metrics
	out         *outputs
	certificate *certificate.Pair // nil without TLS
	listeners   *listeners
	ports       *ports
	store       store.Store
	outside     egress.Options
	watch       *observers
	workers     sandbox.Config
	exit        *egress.Proxy
	trusted     authorities
	drain       *drain
	pool        *sandbox.Pool
	runtimes    *runtimeKeeper
	deploys     *deploy.Deployer
	invoker     *invoke.Invoker
	probes      *health.Health
	routes      *routes.Keeper
	sockets     *sockets.Hub // nil without WebSocket connections
	keys        *keyring     // nil if nobody needs a key
	public      *publicList
	limits      *namespaceLimits
	tokens      *oidc.Verifier // nil without issuers
	audit       *auditlog.Log  // nil if nothing is recorded
	auditFile   *auditlog.File // nil if no file has records
	calls       *calls.Engine  // nil without asynchronous calls
	records     *records.Log
	secrets     *secrets.Keeper
	limiter     *limits.Limiter
}

// steps are the parts to start, in order.
func (s *server) steps() []step {
	return []step{
		{"the log", s.openOutputs},
		{"the memory limit", s.limitMemory},
		{"the environment of libraries", s.applyEnvironment},
		{"the certificate", s.readCertificate},
		{"the listeners", s.listen},
		{"the store", s.openStore},
		{"the observers", s.openObservers},
		{"backups", s.serveBackups},
		{"the keys of callers", s.openKeys},
		{"the limits of namespaces", s.openLimits},
		{"the issuers of tokens", s.openIssuers},
		{"the audit log", s.openAudit},
		{"secrets", s.openSecrets},
		{"the journal of output", s.keepLines},
		{"records of calls", s.openRecords},
		{"the way out for functions", s.openEgress},
		{"builds", s.openBuilds},
		{"the workers", s.startWorkers},
		{"asynchronous calls", s.startCalls},
		{"the background", s.startBackground},
	}
}

func (s *server) log() *slog.Logger {
	if s.out == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.out.app
}

func (s *server) openOutputs(context.Context) (stop func() error, err error) {
	if s.out, err = openOutputs(s.cfg, s.measures.LinesDropped); err != nil {
		return nil, err
	}
	s.log().Info("Functions " + s.Build.String())
	return s.out.close, nil
}

func (s *server) limitMemory(ctx context.Context) (stop func() error, err error) {
	said, follow := limitMemory(s.cfg.Memory())
	s.log().Info(said)
	return inBackground(ctx, follow), nil
}

func (s *server) applyEnvironment(context.Context) (stop func() error, err error) {
	return nil, applyEnvironment(s.cfg, s.log())
}

func (s *server) listen(context.Context) (stop func() error, err error) {
	if s.listeners, err = listen(s.cfg); err != nil {
		return nil, err
	}
	descriptors := allowedDescriptors()
	fitPool(s.cfg, descriptors, hostinfo.Tasks())
	most := fitConnections(s.cfg, descriptors, s.log())
	s.ports = newPorts(s.cfg, s.listeners, most, tlsOf(s.certificate), s.log())
	s.ports.watch(s.measures, s.certificate)
	return s.listeners.close, nil
}

func (s *server) openStore(ctx context.Context) (stop func() error, err error) {
	if s.store, err = openStore(ctx, s.cfg, s.log(), s.work); err != nil {
		return nil, err
	}
	return s.store.Close, nil
}

// openObservers reports everything from now on, including operations of the store.
func (s *server) openObservers(ctx context.Context) (stop func() error, err error) {
	s.outside = egressOptions(s.cfg, s.measures, s.log())
	if s.watch, err = openObservers(ctx, s.cfg, s.node, s.outside, s.log()); err != nil {
		return nil, err
	}
	return func() error { s.watch.close(); return nil }, nil
}

// serveBackups needs the store itself. From then on its operations are observed.
func (s *server) serveBackups(context.Context) (stop func() error, err error) {
	stop = serveBackups(s.cfg, s.store, s.log())
	watchDisk(s.store, s.measures)
	s.store = s.watch.store(s.store, s.measures)
	return stop, nil
}

func (s *server) keepLines(context.Context) (stop func() error, err error) {
	return s.out.keepLines(s.cfg, s.store, s.measures.LogLinesDropped), nil
}

func (s *server) openEgress(context.Context) (stop func() error, err error) {
	s.workers = poolConfig(s.cfg, s.node, newPoolLog(s.measures, s.log()))
	if s.trusted, err = readAuthorities(s.cfg); err != nil {
		return nil, err
	}
	outside := s.watch.egress(s.outside)
	outside.Sent = s.sent
	if s.cfg.WebSocket.Connections > 0 {
		outside.Sockets = socketsOfCalls{s}
	}
	if s.exit, err = openEgress(s.cfg, &s.workers, s.trusted, outside); err != nil {
		return nil, err
	}
	return s.exit.Close, nil
}

func (s *server) startWorkers(ctx context.Context) (stop func() error, err error) {
	if s.pool, err = sandbox.New(ctx, s.workers); err != nil {
		return nil, fmt.Errorf("workers cannot start: %w%s", err,
			cmp.Or(modulesHint(err, s.node), isolationHint(ctx, s.workers, s.node)))
	}
	s.runtimes = &runtimeKeeper{
		pool: s.pool, dirs: runtimeDirs(s.cfg, s.node.runner), node: s.node, log: s.log(), changed: s.measures.RuntimeChanged,
		given: s.node.runtimes, modules: s.cfg.RuntimeModules, failed: map[string]sandbox.Runtime{},
	}
	s.runtimes.sync(ctx)
	s.runtimes.warnOfModules()
	stats := func() sandbox.PoolStats { return s.pool.Snapshot().Pool }
	s.measures.WatchPool(stats)
	s.measures.WatchNode(metrics.Node{
		Runtimes: s.pool.Runtimes, Memory: s.pool.Memory, Pool: stats,
		Connections: func() int { return s.ports.open() + s.exit.Open() },
	})
	s.drain = newDrain(s.cfg.ShutdownTimeout)
	options := s.invokeOptions()
	if s.cfg.Calls.Kept != config.KeepNone {
		options.Records = s.records
	}
	s.invoker = invoke.New(s.watch.invoke(options))
	s.measures.WatchCache(s.invoker.CacheStats)
	if s.sockets = s.newSockets(); s.sockets != nil {
		s.measures.WatchSockets(s.sockets.Stats)
	}
	s.probes = newHealth(s.log(), s.pool, s.store, s.invoker)
	context.AfterFunc(ctx, s.probes.NotReady)
	return s.closePool, nil
}

func (s *server) closePool() error {
	if s.sockets != nil {
		defer s.sockets.Close(s.drain.until())
	}
	return s.pool.Shutdown(s.drain.until())
}

// startBackground watches for changes by other servers, reads the routes, pings the store, reloads the configuration,
// and relaxes Go's monitor: after what starts fork servers has its threads, for processes inherit what that sets.
func (s *server) startBackground(ctx context.Context) (stop func() error, err error) {
	s.routes = routes.NewKeeper(s.store, s.log())
	load(ctx, s.routes.Keeper)
	reload := newReloader(s.cfg, s.load, s.out, s.outside.Policies, s.trusted)
	reload.certificate, reload.audit = s.certificate, s.auditFile
	return inBackground(ctx,
		func(ctx context.Context) { s.store.Watch(ctx, s.changed) },
		s.routes.Run,
		func(ctx context.Context) { watchStore(ctx, s.store) },
		func(ctx context.Context) { reload.watch(ctx, s.Reload, s.cancel) },
		func(ctx context.Context) { s.runtimes.run(ctx, reload.runtimes) },
		func(ctx context.Context) { relaxMonitor(ctx, s.log()) },
	), nil
}

// serve serves until ctx ends and no caller waits for an answer any more.
func (s *server) serve(ctx context.Context) error {
	s.logStart()
	front := &frontend{
		cfg: s.cfg, log: s.log(), listeners: s.listeners, ports: s.ports, drain: s.drain, cut: s.closePool,
		sockets: s.sockets,
	}
	handlers := s.watch.handlers(s.apiOptions(ctx), s.services()...)
	ofMetrics := metricsHandler(s.cfg, s.measures, s.probes, handlers.Keyed)
	if s.cfg.Compression {
		handlers = handlers.Around(compress.New(connections.Packed))
	}
	return front.serve(ctx, handlers, ofMetrics)
}
