package server

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/calls"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store"
	"github.com/backstage/functions/sandbox"
)

// startCalls takes queued calls from now on, if there may be any.
func (s *server) startCalls(ctx context.Context) (stop func() error, err error) {
	if s.cfg.Calls.Most == 0 {
		return nil, nil
	}
	s.calls = calls.New(calls.Options{
		Queue: s.store, Invoker: s.invoker, Observer: s.measures, Logger: s.log(),
		Spare:       func(running int) int { return spareWorkers(s.pool.Snapshot().Pool, s.cfg.Calls.Workers, running) },
		Limits:      queue.Limits{Calls: s.cfg.Calls.Most, Bytes: s.cfg.Calls.Memory},
		Lease:       s.cfg.Calls.Lease,
		ResultLimit: int(s.cfg.ResponseLimit),
	})
	stopTaking := inBackground(ctx, s.calls.Run, func(ctx context.Context) { s.watchCalls(ctx, s.store) })
	return func() error {
		defer s.calls.Close(s.drain.until())
		return stopTaking()
	}, nil
}

// spareWorkers is how many queued calls can start now, of which so many run: no call waits for a worker, and of those
// that may compute one more is left for a call that comes next.
func spareWorkers(pool sandbox.PoolStats, most, running int) int {
	if pool.Queued > 0 {
		return 0
	}
	free := min(pool.Size-pool.Busy, pool.Active-(pool.Busy-pool.Waiting))
	if pool.Busy > 0 {
		free--
	}
	return min(most-running, free)
}

// callsInterval is how often the calls in the store are counted.
const callsInterval = 10 * time.Second

// watchCalls counts the calls in the store until ctx ends.
func (s *server) watchCalls(ctx context.Context, from store.Calls) {
	tick := time.NewTicker(callsInterval)
	defer tick.Stop()
	for {
		short, cancel := context.WithTimeout(ctx, pingTimeout)
		if stats, err := from.CallStats(short); err == nil {
			s.measures.CallsStored(stats)
		}
		cancel()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
