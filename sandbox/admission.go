package sandbox

import (
	"context"
	"fmt"
	"time"
)

// acquire returns inv as a call that has a worker, and counts it as in progress. One that is made again is not sent
// together with others.
func (s *scheduler) acquire(ctx context.Context, inv *Invocation, again bool) (*call, error) {
	c := &call{of: s, inv: inv, group: inv.owner(), key: inv.Key, alone: again}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, ErrClosed
	}
	if inv.Depth > MaxDepth {
		defer s.mu.Unlock()
		return nil, s.busyLocked(BusyTooDeep)
	}
	if s.takeLocked(c) {
		s.calls.Add(1)
		s.mu.Unlock()
		if c.start == StartPrewarmed {
			s.wakeKeeper()
		}
		return c, nil
	}
	err := s.enqueueLocked(ctx, c)
	s.wakeKeeperIfUnsaturatedLocked(c.key)
	s.mu.Unlock()
	if err == nil {
		err = s.wait(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// takeLocked gives c a worker that can serve it at once, if there is one.
func (s *scheduler) takeLocked(c *call) bool {
	if s.saturatedLocked(c.key) || !s.mayTakeLocked(c.group) {
		return false
	}
	if w := s.idle.take(c.key); w != nil {
		c.slot, c.start = w, StartWarm
	} else if n := len(s.prewarmed); n > 0 {
		c.slot, c.start, c.first = s.prewarmed[n-1], StartPrewarmed, true
		s.prewarmed = s.prewarmed[:n-1]
		s.bindLocked(c.slot, c.group, c.key)
	} else {
		return false
	}
	s.setBusyLocked(c.slot, true)
	s.setServingLocked(c.slot, true)
	c.slot.note(c.inv)
	c.busyWait = !c.first && s.worthBusyWaitLocked(c.key)
	return true
}

// worthBusyWaitLocked says whether the answer to a call of key that begins now is worth a busy wait: it comes soon, and
// no more workers and waiting calls want a processor than there are. The only processor is the worker's.
func (s *scheduler) worthBusyWaitLocked(key string) bool {
	return s.processors > 1 && s.budget.shares.serving.total+s.queue.len() <= s.processors && s.serviceTimes.soon(key)
}

// enqueueLocked lets c wait, unless the queue is full or the wait would outlast what the call has. One that is made
// again has been let in before: it goes first.
func (s *scheduler) enqueueLocked(ctx context.Context, c *call) error {
	if s.slowStarts.Load() > 0 && s.bound[c.key] == 0 {
		return errAway
	}
	c.cost, c.ready = s.costLocked(c.key), make(chan struct{})
	if c.alone {
		s.queue.pushFirst(c)
		return nil
	}
	if c.inv.Depth > 0 && !s.mayNestLocked(c.group) {
		return s.busyLocked(BusyNested)
	}
	full := s.budget.waitingLocked() >= s.cfg.QueueSize
	var evictee *call
	var of *scheduler
	if full {
		if evictee, of = s.budget.evicteeLocked(c.group); evictee == nil {
			return s.busyLocked(BusyQueueFull)
		}
	}
	patience := s.cfg.QueueTimeout
	if end, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(end))
	}
	if s.exceedsLocked(c, patience) {
		return s.busyLocked(BusyExpectedWait)
	}
	if full {
		of.queue.drop(evictee)
		evictee.displaced = true
		close(evictee.ready)
	}
	s.queue.push(c)
	return nil
}

// exceedsLocked says whether c would wait for longer than patience. It is as sure as the past tells: where in doubt, it
// says no.
func (s *scheduler) exceedsLocked(c *call, patience time.Duration) bool {
	if s.drainTimeLocked() <= patience { // known at once, and never less than the time of what is ahead of c
		return false
	}
	return s.shareLocked(s.queue.workBefore(c.group, c.key, s.bound[c.key] > 0, s.budget.shares.active.of)) > patience
}

// costLocked is how long a call of key holds a worker at least, on average; 0 when too little is known. A call that
// waits holds one for as long as it computes, if that is all that is scarce.
func (s *scheduler) costLocked(key string) time.Duration {
	least := s.serviceTimes.least(key)
	if s.grows() && s.serviceTimes.waits(key) {
		return min(least, s.serviceTimes[key].cpu)
	}
	return least
}

// drainTimeLocked is how long all workers together need for the calls that wait, at least.
func (s *scheduler) drainTimeLocked() time.Duration { return s.shareLocked(s.queue.cost) }

// shareLocked is how long all workers that may compute need together for so much work.
func (s *scheduler) shareLocked(work time.Duration) time.Duration {
	return work / time.Duration(s.cfg.Active)
}

func (s *scheduler) busyLocked(cause BusyCause) error {
	return &BusyError{Cause: cause, RetryAfter: s.drainTimeLocked()}
}

// wait waits until c has a worker, or has waited long enough.
func (s *scheduler) wait(ctx context.Context, c *call) error {
	timeout := s.timers.Get().(*time.Timer)
	timeout.Reset(s.cfg.QueueTimeout)
	defer s.timers.Put(timeout)
	defer timeout.Stop()
	var err error
	select {
	case <-c.ready:
		if c.slot != nil { // which was set before
			return c.begun()
		}
	case <-ctx.Done():
		err = fmt.Errorf("sandbox: waiting for a worker: %w", context.Cause(ctx))
	case <-timeout.C:
	case <-s.closing:
		err = ErrClosed
	}
	s.mu.Lock()
	if c.slot == nil {
		defer s.mu.Unlock()
		s.queue.drop(c)
		switch {
		case err != nil:
		case c.away:
			err = errAway
		case c.displaced:
			err = s.busyLocked(BusyQueueFull)
		default:
			err = s.busyLocked(BusyQueueTimeout)
		}
		return err
	}
	s.mu.Unlock()
	// It has been given a worker, perhaps in the same moment as err, and is sent behind short calls if behind any.
	<-c.ready
	return c.begun()
}

// begun says whether c, which has a slot and is ready, will be served there.
func (c *call) begun() error {
	if c.notBegun {
		return errNotBegun
	}
	return nil
}
