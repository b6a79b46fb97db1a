package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
)

// step is a part of the server that has a beginning and an end.
type step struct {
	// name says what it starts, for errors and for the log: "the store".
	name string
	// start returns what undoes it; nil for nothing.
	start func(ctx context.Context) (stop func() error, err error)
}

// runSteps starts steps in order, then does serve, and stops in the opposite order what was started, whatever went wrong.
// Log is asked for when there is something to say: one of the steps may open it.
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

// inBackground starts tasks that go on until the server stops, and returns what ends and awaits them.
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
