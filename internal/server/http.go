package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/httpd/api"
	"github.com/backstage/functions/internal/httpd/connections"
	"github.com/backstage/functions/internal/httpd/sockets"
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
	// sockets are ended first; nil for none.
	sockets *sockets.Hub

	// ports are those of the API and, unless they are off, of runs alone and of the metrics.
	ports   *ports
	callers []*http.Server // of the API and of runs alone
	metrics *http.Server   // nil when they are off
	serving sync.WaitGroup
}

// serve serves until ctx ends or a listener fails, then answers the callers that are connected.
func (f *frontend) serve(ctx context.Context, handlers api.Handlers, metricsHandler http.Handler) error {
	failed := make(chan error, 3)
	defer f.serving.Wait() // end has closed their listeners
	f.serveCallers(f.ports.api, handlers.API, failed)
	if f.ports.run != nil {
		f.serveCallers(f.ports.run, handlers.Run, failed)
	}
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

// serveCallers serves one of the ports of callers, which get their answers when the server ends.
func (f *frontend) serveCallers(port *connections.Port, handler http.Handler, failed chan<- error) {
	server := f.newServer(f.drain.handler(handler))
	f.callers = append(f.callers, server)
	f.serving.Go(func() { failed <- port.Serve(server) })
}

// end accepts no more connections and returns when no caller is left.
func (f *frontend) end() error {
	f.drain.begun.Store(true)
	until := f.drain.until()
	err := f.listeners.closeCallers()
	ended := f.endSockets(until)
	time.Sleep(linger)
	late := f.shutdown(until) != nil
	select {
	case <-ended:
	case <-until.Done():
		late = true
	}
	if late {
		f.log.Warn("Functions is stopping late: what still runs is cut off", "after", f.cfg.ShutdownTimeout)
		err = errors.Join(err, f.cut(), f.hangUp())
	}
	<-ended
	if f.metrics != nil {
		err = errors.Join(err, f.metrics.Close())
	}
	return err
}

// endSockets begins to end the WebSocket connections; the channel is closed when all have.
func (f *frontend) endSockets(until context.Context) <-chan struct{} {
	ended := make(chan struct{})
	if f.sockets == nil {
		close(ended)
		return ended
	}
	f.serving.Go(func() {
		defer close(ended)
		f.sockets.Close(until)
	})
	return ended
}

// shutdown returns when no caller is left, or at the end of ctx with an error.
func (f *frontend) shutdown(ctx context.Context) error {
	var errs []error
	for _, server := range f.callers {
		errs = append(errs, server.Shutdown(ctx))
	}
	return errors.Join(errs...)
}

// hangUp gives callers that have just got their answers a moment to read them.
func (f *frontend) hangUp() error {
	ctx, cancel := context.WithTimeout(context.Background(), lastAnswers)
	defer cancel()
	if f.shutdown(ctx) == nil {
		return nil
	}
	var errs []error
	for _, server := range f.callers {
		errs = append(errs, server.Close())
	}
	return errors.Join(errs...)
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
