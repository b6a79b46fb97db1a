package server

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/observe/metrics"
	"github.com/backstage/functions/internal/store"
	"github.com/backstage/functions/internal/store/bolt"
)

// How often the store is pinged, and for how long: without calls the server would not notice that it is away.
const (
	pingInterval = 5 * time.Second
	pingTimeout  = 3 * time.Second
)

// watchStore pings the store at an interval until ctx ends. The metrics observe each operation.
func watchStore(ctx context.Context, s store.Pinger) {
	tick := time.NewTicker(pingInterval)
	defer tick.Stop()
	for {
		short, cancel := context.WithTimeout(ctx, pingTimeout)
		_ = s.Ping(short) // the result is in functions_store_up
		cancel()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// watchDisk gives the disk usage of the store to the metrics, if it has a disk.
func watchDisk(s store.Store, measures *metrics.Metrics) {
	if embedded, ok := s.(*bolt.Store); ok {
		measures.WatchDisk(func() (file, free int64) {
			file, free, _ = embedded.Space() // 0 means unknown
			return file, free
		})
	}
}

// storeFault is what /status says about a store that answers.
func storeFault(measures *metrics.Metrics) func() error {
	return func() error {
		if measures.StoreFull() {
			return function.ErrFull
		}
		return nil
	}
}
