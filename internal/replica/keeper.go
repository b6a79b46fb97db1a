// Package replica keeps in memory what a store has of one kind, in step with it.
package replica

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// every is how often the store is read without a notice: one may be lost.
	every = 10 * time.Second
	// again is the pause before it is read again after a failure.
	again = time.Second
	// loadTimeout bounds the time to read it.
	loadTimeout = 10 * time.Second
)

// Options are what a Keeper keeps. All are required.
type Options[T any] struct {
	// Name is what the log calls it, such as "Routes".
	Name string
	// Read returns all there is. It must not change what it has returned.
	Read func(ctx context.Context) (T, error)
	// Use is given what was read, one call at a time, unless that is the Same as the last one. It must not change it.
	Use  func(T)
	Same func(a, b T) bool
	Log  *slog.Logger
}

// Keeper keeps a replica of something in a store. It is safe for concurrent use. Use New.
type Keeper[T any] struct {
	Options[T]
	wake  chan struct{} // holds one token when there was a change
	asked atomic.Uint64 // calls of Load

	mu     sync.Mutex // guards the fields below
	served uint64     // the calls of Load that the last reading is new enough for
	last   T
	loaded atomic.Bool
}

// New returns a Keeper that has read nothing yet.
func New[T any](o Options[T]) *Keeper[T] { return &Keeper[T]{Options: o, wake: make(chan struct{}, 1)} }

// Loaded says whether the store was read at least once: before that, nobody knows what there is.
func (k *Keeper[T]) Loaded() bool { return k.loaded.Load() }

// Changed has Run read the store soon. It does not wait.
func (k *Keeper[T]) Changed() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Load reads the store: what was written before the call is in use after it. Calls share a reading that began after
// they did. After an error, which is that of Read, all is as before.
func (k *Keeper[T]) Load(ctx context.Context) error {
	wanted := k.asked.Add(1)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.served >= wanted {
		return nil
	}
	serves := k.asked.Load()
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	all, err := k.Read(ctx)
	if err != nil {
		return err
	}
	if !k.loaded.Load() || !k.Same(all, k.last) {
		k.Use(all)
		k.last = all
	}
	k.served = serves
	k.loaded.Store(true)
	return nil
}

// Run reads the store now, after each change and now and then, until ctx ends.
func (k *Keeper[T]) Run(ctx context.Context) {
	failing := false
	for ctx.Err() == nil {
		pause := every
		err := k.Load(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			pause = again
			if !failing {
				k.Log.WarnContext(ctx, k.Name+" cannot be read, those in memory go on", "error", err)
			}
		}
		failing = err != nil
		k.wait(ctx, pause, !failing)
	}
}

// wait returns after pause, at the end of ctx, or, unless it is not to wake up, at a change.
func (k *Keeper[T]) wait(ctx context.Context, pause time.Duration, wakes bool) {
	wake := k.wake
	if !wakes {
		wake = nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-wake:
	}
}
