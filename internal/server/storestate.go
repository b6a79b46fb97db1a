package server

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/metrics"
	"github.com/backstage/functions/internal/store"
	"github.com/backstage/functions/internal/store/bolt"
)

// How often the store is asked whether it is there, and how long it may take: a server that nobody calls would not know.
const (
	pingInterval = 5 * time.Second
	pingTimeout  = 3 * time.Second
)

// watchStore pings the store at an interval until ctx ends. The result is for the metrics, which see each operation.
func watchStore(ctx context.Context, s store.Pinger) {
	tick := time.NewTicker(pingInterval)
	defer tick.Stop()
	for {
		short, cancel := context.WithTimeout(ctx, pingTimeout)
		_ = s.Ping(short) // counted, and told by functions_store_up
		cancel()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// watchDisk has the metrics tell what the store takes of its disk, if it has one.
func watchDisk(s store.Store, measures *metrics.Metrics) {
	if embedded, ok := s.(*bolt.Store); ok {
		measures.WatchDisk(func() (file, free int64) {
			file, free, _ = embedded.Space() // 0 tells that nobody knows
			return file, free
		})
	}
}

// storeFault is what /status says of a store that answers.
func storeFault(measures *metrics.Metrics) func() error {
	return func() error {
		if measures.StoreFull() {
			return function.ErrFull
		}
		return nil
	}
}
