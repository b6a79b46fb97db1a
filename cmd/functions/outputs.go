package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/logs"
)

// outputs are where the server writes.
type outputs struct {
	terminal  *terminal
	level     *slog.LevelVar // of app
	app       *slog.Logger
	functions invoke.Output
	access    *logs.Access
	closers   []func() error
}

// openOutputs opens them; dropped counts the lines of a stream that nobody read in time.
func openOutputs(cfg *config.Config, dropped func(stream string, lines int)) (*outputs, error) {
	least, err := levelOf(cfg)
	if err != nil {
		return nil, err
	}
	level := new(slog.LevelVar)
	level.Set(least)
	app := logs.AppOptions{Level: level, JSON: cfg.LogAppFormat == config.LogAppJSON, Color: logs.IsTerminal(os.Stdout), PID: os.Getpid()}
	if cfg.NumCPUs == 1 {
		app.PID = 0
	}
	term := openTerminal(app, dropped)
	o := &outputs{terminal: term, level: level, closers: []func() error{term.close}}
	app.Out = term.server
	o.app = logs.NewApp(app)
	if o.access, err = logs.NewAccess(term.access, cfg.AccessFormat); err != nil {
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
