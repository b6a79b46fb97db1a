package server

import (
	"context"
	"runtime"
	"time"

	"github.com/backstage/functions/internal/callbacks"
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
	limits := queue.Limits{
		Calls: s.cfg.Calls.Most, Bytes: s.cfg.Calls.Memory,
		AllCalls: s.cfg.Calls.MostOfAll, AllBytes: s.cfg.Calls.MemoryOfAll,
	}
	s.measures.CallsLimited(limits)
	var sender *callbacks.Sender
	s.calls = calls.New(calls.Options{
		Ended: func() { sender.Poke() },
		Queue: s.store, Invoker: s.invoker, Observer: s.measures, Logger: s.log(),
		Spare:       s.spareForCalls,
		Limits:      limits,
		Lease:       s.cfg.Calls.Lease,
		ResultLimit: int(s.cfg.ResponseLimit),
		KeptLimit:   int(s.cfg.Calls.ResultLimit),
	})
	sender = s.newCallbacks()
	stopTaking := inBackground(ctx, s.calls.Run, sender.Run, func(ctx context.Context) { s.watchCalls(ctx, s.store) })
	return func() error {
		defer sender.Close(s.drain.until())
		defer s.calls.Close(s.drain.until())
		return stopTaking()
	}, nil
}

// spareForCalls is how many queued calls can start now. If none can and there are some, those of the calls in progress
// are looked for that only wait.
func (s *server) spareForCalls(load calls.Load) int {
	pool := s.pool.Snapshot().Pool
	arriving := max(load.Executing-pool.Unattended, 0)
	spare := spareWorkers(pool, runtime.GOMAXPROCS(0), s.cfg.Calls.Workers-load.Running, arriving)
	if spare <= 0 && load.Due {
		s.pool.SeekWaiting()
	}
	return spare
}

// spareWorkers is how many calls more, of which there may be so many, can start now: no call waits for a worker, one
// more worker is left for a call that comes next, and a processor, unless there is one alone. Calls that only wait need
// none, and those that have been started and are on their way to a worker need one each.
func spareWorkers(pool sandbox.PoolStats, processors, most, arriving int) int {
	if pool.Queued > 0 {
		return 0
	}
	busy := pool.Busy + arriving
	computing := busy - pool.Waiting
	free := min(pool.Size-busy, pool.Active-computing)
	if busy > 0 {
		free--
	}
	return min(most, free, max(processors-1, 1)-computing)
}

// spareForBatch says whether a batch of which so many inputs run may run another one. Inputs beyond the workers that
// are busy are on their way to one.
func (s *server) spareForBatch(running int) bool {
	pool := s.pool.Snapshot().Pool
	arriving := max(running-pool.Busy, 0)
	return spareWorkers(pool, runtime.GOMAXPROCS(0), s.cfg.BatchParallel-running, arriving) > 0
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
		if stats, err := from.CallbackStats(short); err == nil {
			s.measures.CallbacksStored(stats)
		}
		cancel()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
