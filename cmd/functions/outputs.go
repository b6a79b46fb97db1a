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
	app       *slog.Logger
	functions invoke.Output
	access    *logs.Access
	closers   []func() error
}

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
