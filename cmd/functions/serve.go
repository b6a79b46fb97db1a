package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/backstage/functions/internal/api"
	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/logs"
	"github.com/backstage/functions/internal/metrics"
	"github.com/backstage/functions/sandbox"
)

// Bounds on one connection. Bodies have no deadline of their own within readTimeout, and answers none: a slow caller waits alone.
const (
	headerTimeout  = 10 * time.Second
	readTimeout    = 60 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 128 << 10
)

// drainTimeout is how long the end of the server waits, beside the longest that a call may take, for answers to be written.
const drainTimeout = 5 * time.Second

// serve runs the server until ctx ends.
func serve(ctx context.Context) (err error) {
	cfg, err := config.Load(os.LookupEnv, os.Environ())
	if err != nil {
		return err
	}
	out, err := openOutputs(cfg)
	if err != nil {
		return err
	}
	defer closeInto(&err, out.close)
	measures := metrics.New()
	listeners, err := listen(cfg)
	if err != nil {
		return err
	}
	defer closeInto(&err, listeners.close)
	store, err := openStore(ctx, cfg)
	if err != nil {
		return err
	}
	defer closeInto(&err, store.Close)
	node, err := findNode(ctx, cfg)
	if err != nil {
		return err
	}
	watch, err := openObservers(ctx, cfg, node, out.app)
	if err != nil {
		return err
	}
	defer watch.close()
	store = watch.store(store)
	workers := poolConfig(cfg, node, measures)
	exit, err := openEgress(cfg, &workers, measures, out.app)
	if err != nil {
		return err
	}
	defer closeInto(&err, exit.Close)
	pool, err := sandbox.NewRuntimes(ctx, workers, node.runtimes)
	if err != nil {
		return fmt.Errorf("workers cannot start: %w%s", err, isolationHint(ctx, workers, node))
	}
	defer closeInto(&err, pool.Close)
	measures.WatchPool(pool.Stats)
	invoker := invoke.New(watch.invoke(invoke.Options{
		Pool: pool, Source: store, Recorder: measures, Output: out.functions, Logger: out.app,
	}))
	go store.Watch(ctx, invoker.Changed)
	watch.greet(cfg)
	greet(out.app, cfg, listeners, store, node, pool)
	handler := watch.handler(api.Options{
		Store: announcing{store, invoker.Changed}, Invoker: invoker, Runtimes: pool.Names(), Isolation: func() any { return pool.Report() }, HTTPStats: exit.HTTPStats, BodyLimit: cfg.BodyLimit, Logger: out.app,
		FunctionLog: func(ref function.Ref, line string) {
			out.functions.Print(ref, sandbox.LogLine{Level: "error", Text: line})
		},
		AccessLog: out.logAccess,
	})
	return serveHTTP(ctx, listeners, handler, measures.Handler(), out.app, cfg.AsyncTimeout+drainTimeout)
}

func closeInto(err *error, closer func() error) { *err = errors.Join(*err, closer()) }

// poolConfig is the pool's part of the configuration.
func poolConfig(cfg *config.Config, node *nodeInstall, observer sandbox.Observer) sandbox.Config {
	pool := sandbox.DefaultConfig()
	pool.Runner = node.runner
	pool.Size, pool.Prewarmed = cfg.PoolSize, cfg.PoolPrewarmed
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

// serveHTTP serves until ctx ends or a listener fails, then lets the calls in progress finish.
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
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", metricsHandler)
		start(l.metrics, mux)
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

func port(l net.Listener) string { return strconv.Itoa(l.Addr().(*net.TCPAddr).Port) }

// outputs are where the server writes.
type outputs struct {
	app       *slog.Logger
	functions functionOutput
	access    *logs.Access
	closers   []func() error
}

// functionOutput receives what functions print.
type functionOutput = invoke.Output

func openOutputs(cfg *config.Config) (*outputs, error) {
	level, err := logs.ParseLevel(cfg.LogLevel)
	if err != nil {
		return nil, fmt.Errorf("LOG_LEVEL: %w", err)
	}
	stdout, stderr := logs.NewBuffer(os.Stdout), logs.NewBuffer(os.Stderr)
	o := &outputs{closers: []func() error{stdout.Close, stderr.Close}}
	pid := os.Getpid()
	if cfg.NumCPUs == 1 {
		pid = 0
	}
	o.app = logs.NewApp(logs.AppOptions{
		Out: stdout, Level: level, JSON: cfg.LogAppFormat == config.LogAppJSON, Color: logs.IsTerminal(os.Stdout), PID: pid,
	})
	if o.access, err = logs.NewAccess(stdout, cfg.AccessFormat); err != nil {
		return nil, fmt.Errorf("LOG_MONGAN_FORMAT: %w", err)
	}
	console := logs.NewConsole(stdout, stderr)
	if cfg.LogAppFormat == config.LogAppJSON {
		console = logs.NewJSONConsole(stdout, stderr)
	}
	o.functions = console
	if cfg.LogType != config.LogTypeGELF {
		return o, nil
	}
	gelf, err := logs.NewGELF(gelfOptions(cfg, console, o.app))
	if err != nil {
		return nil, fmt.Errorf("LOG_HOSTS: %w", err)
	}
	o.functions = gelf
	o.closers = append(o.closers, func() error { gelf.Close(); return nil })
	return o, nil
}

func gelfOptions(cfg *config.Config, console *logs.Console, log *slog.Logger) logs.GELFOptions {
	o := logs.GELFOptions{
		Fields: cfg.LogFields, HeaderFields: cfg.LogHeaderFields, MaxFullMessage: cfg.LogMaxMessage, MaxChunkSize: cfg.LogMaxChunk,
		Console: console, Logger: log,
	}
	for _, host := range cfg.LogHosts {
		o.Addresses = append(o.Addresses, net.JoinHostPort(host, strconv.Itoa(cfg.LogPort)))
	}
	return o
}

func (o *outputs) logAccess(r *http.Request, status int, length int64, took time.Duration) {
	o.access.Log(&logs.Request{Request: r, Status: status, Length: length, Took: took})
}

// close writes what is still buffered, last of all to the terminal.
func (o *outputs) close() error {
	var errs []error
	for i := len(o.closers) - 1; i >= 0; i-- {
		errs = append(errs, o.closers[i]())
	}
	return errors.Join(errs...)
}
