package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
)

// step is a part of the server that starts and stops.
type step struct {
	// name says what it starts, for errors and for the log: "the store".
	name string
	// start returns the function that stops it; nil if there is none.
	start func(ctx context.Context) (stop func() error, err error)
}

// runSteps starts steps in order, calls serve, and stops what was started in reverse order, whatever went wrong. It
// calls log only when there is something to log: one of the steps may open it.
func runSteps(ctx context.Context, steps []step, log func() *slog.Logger, serve func(ctx context.Context) error) error {
	var started []step
	err := func() error {
		for _, s := range steps {
			stop, err := s.start(ctx)
			if err != nil {
				return err
			}
			log().Debug("Started " + s.name)
			if stop != nil {
				started = append(started, step{s.name, func(context.Context) (func() error, error) { return nil, stop() }})
			}
		}
		return serve(ctx)
	}()
	errs := []error{err}
	for _, s := range slices.Backward(started) {
		log().Debug("Stopping " + s.name)
		if _, err := s.start(ctx); err != nil {
			errs = append(errs, fmt.Errorf("cannot stop %s: %w", s.name, err))
		}
	}
	return errors.Join(errs...)
}

// inBackground starts tasks that run until the server stops, and returns a function that ends them and waits for them.
func inBackground(ctx context.Context, tasks ...func(ctx context.Context)) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, task := range tasks {
		all.Go(func() { task(ctx) })
	}
	return func() error {
		cancel()
		all.Wait()
		return nil
	}
}
