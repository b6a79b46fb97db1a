package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/backstage/functions/internal/config"
)

const (
	// linger is for callers whose connections are idle at the shutdown: a request that they are just sending is still
	// answered.
	linger = 250 * time.Millisecond
	// lastAnswers is the time to write answers after the workers have ended.
	lastAnswers = time.Second
)

// frontend serves the API and the metrics.
type frontend struct {
	cfg       *config.Config
	log       *slog.Logger
	listeners *listeners
	drain     *drain
	// cut ends the calls that still run, so that all get an answer.
	cut func() error

	// ports are those of the API and, unless they are off, of the metrics.
	ports        *ports
	api, metrics *http.Server // metrics is nil when they are off
	serving      sync.WaitGroup
}

// serve serves until ctx ends or a listener fails, then answers the callers that are connected.
func (f *frontend) serve(ctx context.Context, handler, metricsHandler http.Handler) error {
	failed := make(chan error, 2)
	defer f.serving.Wait() // end has closed their listeners
	f.api = f.newServer(f.drain.handler(handler))
	f.serving.Go(func() { failed <- f.ports.api.Serve(f.api) })
	if f.ports.metrics != nil {
		f.metrics = f.newServer(metricsHandler)
		f.serving.Go(func() { failed <- f.ports.metrics.Serve(f.metrics) })
	}
	select {
	case err := <-failed:
		return errors.Join(err, f.end())
	case <-ctx.Done():
		f.log.Info("Functions is stopping: calls in progress are finished first")
		f.drain.begun.Store(true)
		time.Sleep(f.cfg.ShutdownDelay)
		return f.end()
	}
}

// end accepts no more connections and returns when no caller is left.
func (f *frontend) end() error {
	f.drain.begun.Store(true)
	until := f.drain.until()
	err := f.listeners.http.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	time.Sleep(linger)
	if f.api.Shutdown(until) != nil {
		f.log.Warn("Functions is stopping late: what still runs is cut off", "after", f.cfg.ShutdownTimeout)
		err = errors.Join(err, f.cut(), f.hangUp())
	}
	if f.metrics != nil {
		err = errors.Join(err, f.metrics.Close())
	}
	return err
}

// hangUp gives callers that have just got their answers a moment to read them.
func (f *frontend) hangUp() error {
	ctx, cancel := context.WithTimeout(context.Background(), lastAnswers)
	defer cancel()
	if f.api.Shutdown(ctx) == nil {
		return nil
	}
	return f.api.Close()
}

func (f *frontend) newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: f.cfg.HTTP.Header,
		ReadTimeout:       f.cfg.HTTP.Read,
		IdleTimeout:       f.cfg.HTTP.Idle,
		MaxHeaderBytes:    int(f.cfg.HTTP.HeaderLimit),
		ErrorLog:          slog.NewLogLogger(f.log.Handler(), slog.LevelDebug),
	}
}
