package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// acquire finds a worker for inv and counts the call as in progress.
func (p *Pool) acquire(ctx context.Context, inv *Invocation, again bool) (*slot, *turn, StartKind, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, nil, "", ErrClosed
	}
	if inv.Depth > MaxDepth {
		defer p.mu.Unlock()
		return nil, nil, "", p.busyLocked(BusyTooDeep)
	}
	if w, start := p.takeLocked(inv); w != nil {
		p.calls.Add(1)
		t := &turn{inv: inv, first: start != StartWarm, soon: start == StartWarm && p.soonLocked(inv.Key)}
		p.mu.Unlock()
		if start == StartPrewarmed {
			p.wakeKeeper()
		}
		return w, t, start, nil
	}
	waiting, err := p.enqueueLocked(ctx, inv, again)
	p.wakeKeeperIfNotHeldLocked(inv.Key)
	p.mu.Unlock()
	if err != nil {
		return nil, nil, "", err
	}
	return p.wait(ctx, waiting)
}

// takeLocked returns a worker that can serve inv at once.
func (p *Pool) takeLocked(inv *Invocation) (*slot, StartKind) {
	key := inv.Key
	if p.heldLocked(key) || !p.mayTakeLocked(inv.owner()) {
		return nil, ""
	}
	if w := p.idle.take(key); w != nil {
		p.setBusyLocked(w, true)
		p.setServingLocked(w, true)
		return w, StartWarm
	}
	if n := len(p.prewarmed); n > 0 {
		w := p.prewarmed[n-1]
		p.prewarmed = p.prewarmed[:n-1]
		p.bindLocked(w, inv.owner(), key)
		p.setBusyLocked(w, true)
		p.setServingLocked(w, true)
		return w, StartPrewarmed
	}
	return nil, ""
}

// enqueueLocked lets inv wait, unless the queue is full or the wait would outlast what the call has. One that waits again has been let in before:
// it goes first.
func (p *Pool) enqueueLocked(ctx context.Context, inv *Invocation, again bool) (*waiter, error) {
	waiting := &waiter{
		group: inv.owner(), key: inv.Key, cost: p.costLocked(inv.Key), ready: make(chan struct{}), turn: turn{inv: inv}, alone: again,
	}
	if again {
		p.queue.pushFirst(waiting)
		return waiting, nil
	}
	if inv.Depth > 0 && !p.mayNestLocked(inv.owner()) {
		return nil, p.busyLocked(BusyNested)
	}
	full := p.house.waitingLocked() >= p.cfg.QueueSize
	var evictee *waiter
	var of *Pool
	if full {
		if evictee, of = p.house.evicteeLocked(inv.owner()); evictee == nil {
			return nil, p.busyLocked(BusyQueueFull)
		}
	}
	patience := p.cfg.QueueTimeout
	if end, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(end))
	}
	if p.hopelessLocked(inv, patience) {
		return nil, p.busyLocked(BusyExpectedWait)
	}
	if full {
		of.queue.drop(evictee)
		evictee.displaced = true
		close(evictee.ready)
	}
	p.queue.push(waiting)
	return waiting, nil
}

// hopelessLocked says whether inv would wait for longer than patience. It is as sure as the past tells: where in doubt, it says no.
func (p *Pool) hopelessLocked(inv *Invocation, patience time.Duration) bool {
	if p.drainTimeLocked() <= patience { // known at once, and never less than the time of what is ahead of inv
		return false
	}
	return p.shareLocked(p.queue.ahead(inv.owner(), inv.Key, p.bound[inv.Key] > 0, p.house.shares.active.of)) > patience
}

// drainTimeLocked is how long all workers together need for the calls that wait, at the least.
func (p *Pool) drainTimeLocked() time.Duration { return p.shareLocked(p.queue.cost) }

// shareLocked is how long all workers that may compute need together for so much work.
func (p *Pool) shareLocked(work time.Duration) time.Duration {
	return work / time.Duration(p.cfg.Active)
}

func (p *Pool) busyLocked(cause BusyCause) error {
	return &BusyError{Cause: cause, RetryAfter: p.drainTimeLocked()}
}

// wait waits until the call has a worker, or has waited long enough.
func (p *Pool) wait(ctx context.Context, waiting *waiter) (*slot, *turn, StartKind, error) {
	timeout := time.NewTimer(p.cfg.QueueTimeout)
	defer timeout.Stop()
	var err error
	select {
	case <-waiting.ready:
	case <-ctx.Done():
		err = fmt.Errorf("sandbox: waiting for a worker: %w", context.Cause(ctx))
	case <-timeout.C:
	case <-p.closing:
		err = ErrClosed
	}
	p.mu.Lock()
	if waiting.worker == nil {
		defer p.mu.Unlock()
		p.queue.drop(waiting)
		switch {
		case err != nil:
		case waiting.displaced:
			err = p.busyLocked(BusyQueueFull)
		default:
			err = p.busyLocked(BusyQueueTimeout)
		}
		return nil, nil, "", err
	}
	p.mu.Unlock()
	<-waiting.ready // it has been given a worker, perhaps in the same moment as err, and is sent behind short calls at the most
	if waiting.notBegun {
		return nil, nil, "", errNotBegun
	}
	return waiting.worker, &waiting.turn, waiting.start, nil
}

// errNotBegun means that a call was sent behind another one and that the worker will not serve it.
var errNotBegun = errors.New("sandbox: not begun")
