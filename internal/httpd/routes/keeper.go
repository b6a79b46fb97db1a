package routes

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstage/functions/internal/function"
)

const (
	// every is how often routes are read without a notice: one may be lost.
	every = 10 * time.Second
	// again is the pause before routes are read again after a failure.
	again = time.Second
	// loadTimeout bounds the time to read them.
	loadTimeout = 10 * time.Second
)

// Source is where routes are stored.
type Source interface {
	Routes(ctx context.Context) ([]function.Route, error)
}

// Keeper keeps a Table in step with a Source. It is safe for concurrent use. Use NewKeeper.
type Keeper struct {
	table  Table
	source Source
	log    *slog.Logger
	wake   chan struct{} // holds one token when there was a change
	asked  atomic.Uint64 // calls of Load

	mu     sync.Mutex // guards the fields below
	served uint64     // the calls of Load that the last reading is new enough for
	last   []function.Route
	loaded atomic.Bool
}

// NewKeeper returns a Keeper whose table is empty until the first Load.
func NewKeeper(source Source, log *slog.Logger) *Keeper {
	return &Keeper{source: source, log: log, wake: make(chan struct{}, 1)}
}

// Loaded says whether routes were read at least once: before that, nobody knows which there are.
func (k *Keeper) Loaded() bool { return k.loaded.Load() }

// Find is Table.Find of the routes as they were last read.
func (k *Keeper) Find(host, path string) (Match, bool) { return k.table.Find(host, path) }

// Changed has Run read the routes soon. It does not wait.
func (k *Keeper) Changed() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Load reads the routes: what was written before the call is found after it. Calls share a reading that began after
// they did. After an error, which is that of the Source, the routes are as before.
func (k *Keeper) Load(ctx context.Context) error {
	wanted := k.asked.Add(1)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.served >= wanted {
		return nil
	}
	serves := k.asked.Load()
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	all, err := k.source.Routes(ctx)
	if err != nil {
		return err
	}
	if !k.loaded.Load() || !slices.Equal(all, k.last) {
		if err := k.table.Set(all); err != nil {
			k.log.WarnContext(ctx, "Routes are left out: put them again, or delete them", "error", err)
		}
		k.last = all
	}
	k.served = serves
	k.loaded.Store(true)
	return nil
}

// Run reads the routes now, after each change and now and then, until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
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
				k.log.WarnContext(ctx, "Routes cannot be read, those in memory go on", "error", err)
			}
		}
		failing = err != nil
		k.wait(ctx, pause, !failing)
	}
}

// wait returns after pause, at the end of ctx, or, unless it is not to wake up, at a change.
func (k *Keeper) wait(ctx context.Context, pause time.Duration, wakes bool) {
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
