package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/api"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/observe/logs"
	"github.com/backstage/functions/internal/observe/trace"
	"github.com/backstage/functions/sandbox"
)

// outputs are where the server writes.
type outputs struct {
	terminal  *terminal
	level     *slog.LevelVar // of app
	app       *slog.Logger
	functions invoke.Output
	journal   *logs.Journal // nil where output of functions is not kept
	access    *logs.Access
	closers   []func() error
}

// openOutputs opens them; dropped counts the lines that no reader took in time.
func openOutputs(cfg *config.Config, dropped func(stream string, lines int)) (*outputs, error) {
	least, err := levelOf(cfg)
	if err != nil {
		return nil, err
	}
	level := new(slog.LevelVar)
	level.Set(least)
	app := logs.AppOptions{
		Level: level, JSON: cfg.LogAppFormat == config.LogAppJSON, Color: logs.IsTerminal(os.Stdout),
		PID: os.Getpid(),
	}
	if cfg.NumCPUs == 1 {
		app.PID = 0
	}
	term := openTerminal(app, dropped)
	o := &outputs{terminal: term, level: level, closers: []func() error{term.close}}
	app.Out, app.Context = term.server, callAttrs
	o.app = logs.NewApp(app)
	setGlobals(o.app)
	if o.access, err = logs.NewAccess(logs.AccessOptions{
		Out: term.access, Format: cfg.AccessFormat, JSON: app.JSON, Trusted: cfg.TrustedProxies,
	}); err != nil {
		return nil, fmt.Errorf("LOG_MONGAN_FORMAT: %w", err)
	}
	console := logs.NewConsole(term.out, term.err)
	if app.JSON {
		console = logs.NewJSONConsole(term.out, term.err)
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

func levelOf(cfg *config.Config) (slog.Level, error) {
	level, err := logs.ParseLevel(cfg.LogLevel)
	if err != nil {
		return 0, fmt.Errorf("LOG_LEVEL: %w", err)
	}
	return level, nil
}

func gelfOptions(cfg *config.Config, console *logs.Console, log *slog.Logger) logs.GELFOptions {
	o := logs.GELFOptions{
		Fields: cfg.LogFields, HeaderFields: cfg.LogHeaderFields, MaxFullMessage: cfg.LogMaxMessage,
		MaxChunkSize: cfg.LogMaxChunk,
		Console:      console, Logger: log,
	}
	for _, host := range cfg.LogHosts {
		o.Addresses = append(o.Addresses, net.JoinHostPort(host, strconv.Itoa(cfg.LogPort)))
	}
	return o
}

// callAttrs are the request and the trace that ctx belongs to.
func callAttrs(ctx context.Context) []slog.Attr {
	var attrs []slog.Attr
	if id := api.RequestID(ctx); id != "" {
		attrs = append(attrs, slog.String("requestId", id))
	}
	if id := trace.ID(ctx); id != "" {
		attrs = append(attrs, slog.String("traceId", id))
	}
	return attrs
}

// stepped writes a line for a step of a pipeline.
func (o *outputs) stepped(ctx context.Context, call invoke.Call, status int, took time.Duration) {
	logs.Step(ctx, o.app, call, status, took)
}

// tell writes a line for the author of a function that exists, and keeps it where output is kept.
func (o *outputs) tell(ref function.Ref, owner, requestID, text string) {
	line := sandbox.LogLine{Level: "error", Text: text}
	if o.journal == nil {
		o.functions.Print(ref, line)
		return
	}
	o.journal.Tell(ref, owner, requestID, line)
}

// accessLog writes a line for each request that LOG_ACCESS includes. TraceID is that of api.Options.
func (o *outputs) accessLog(
	which string, traceID func(ctx context.Context) string,
) func(r *http.Request, a api.Answer) {
	if which == config.AccessOff {
		return nil
	}
	left := unlogged[which]
	return func(r *http.Request, a api.Answer) {
		if slices.Contains(left, a.Route) {
			return
		}
		o.access.Log(&logs.Request{
			Request: r, Status: a.Status, Answer: a.Header, Length: a.Length, Took: a.Took,
			Sent: a.Sent, Aborted: a.Aborted,
			ID: api.RequestID(r.Context()), TraceID: traceID(r.Context()), KeyID: a.KeyID,
		})
	}
}

// socketLog writes a line for each WebSocket connection that has ended.
func (o *outputs) socketLog(which string) func(about *http.Request, end api.SocketEnd) {
	if which == config.AccessOff {
		return nil
	}
	return func(about *http.Request, end api.SocketEnd) {
		o.access.Log(&logs.Request{
			Request: about, Status: end.Code, Length: end.SentBytes, Took: end.Took, ID: end.RequestID, KeyID: end.KeyID,
			Socket: &logs.Socket{
				ID: end.ID, Received: end.Received, ReceivedBytes: end.ReceivedBytes, Sent: end.Sent, SentBytes: end.SentBytes,
			},
		})
	}
}

// unlogged are the routes without a line in the access log. The original has no /livez and /readyz; its lines about
// /healthcheck stay.
var unlogged = map[string][]string{
	config.AccessOn:       {"/livez", "/readyz"},
	config.AccessNoProbes: {"/livez", "/readyz", "/healthcheck"},
}

// close writes what is still buffered, last of all to the terminal.
func (o *outputs) close() error {
	var errs []error
	for i := len(o.closers) - 1; i >= 0; i-- {
		errs = append(errs, o.closers[i]())
	}
	return errors.Join(errs...)
}
