package sandbox

import (
	"context"
	"slices"
	"time"
)

// Back-off between starts that fail.
const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// keep holds the pool in balance until ctx ends: starts workers for those who wait and for the prewarmed reserve, evicts idle ones when
// their slots are needed, and retires those that were idle for too long.
func (p *Pool) keep(ctx context.Context) {
	slots := make(chan error, startsAtOnce()) // results of the starts in progress
	running := 0
	retry := time.Duration(0)
	var blocked <-chan time.Time // set while starts are held back after a failure
	idle := time.NewTimer(p.cfg.IdleTimeout)
	defer idle.Stop()
	look := time.NewTicker(idleLook)
	defer look.Stop()
	var room <-chan time.Time    // set while there are more workers than may compute
	var pending <-chan time.Time // set while calls that are pending are looked at
	for {
		if p.lookAtRoom(roomSoon) && room == nil {
			room = time.After(p.roomPause())
		}
		for blocked == nil && running < cap(slots) && p.claimStart() {
			running++
			p.keeping.Go(func() { slots <- p.startClaimed(ctx) })
		}
		if pending == nil && p.wantsRoom() {
			pending = time.After(waitLook)
		}
		select {
		case <-ctx.Done():
			return
		case <-pending:
			pending = nil
			p.lookAtPending()
		case <-room:
			room = nil
		case <-p.kick:
		case <-blocked:
			blocked = nil
		case err := <-slots:
			running--
			if err == nil {
				retry = 0
				continue
			}
			retry = min(max(2*retry, firstRetry), lastRetry)
			blocked = time.After(retry)
			p.forgetStart() // not before: its place would be given to another start at once
		case <-idle.C:
			idle.Reset(p.retireIdle())
		case <-look.C:
			p.retireStirring()
		}
	}
}

// claimStart says whether another worker should be started now and counts it as starting. When calls wait and every slot is taken it
// evicts idle workers instead.
func (p *Pool) claimStart() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endComputingLocked()
	p.dispatchLocked()
	newcomers, _ := p.wantingLocked(nil)
	short, free := p.shortOfLocked(), p.freeLocked()+p.spareLocked(newcomers)
	wanted := short + p.house.retiringLocked()
	if free < 0 && wanted <= 0 && len(p.prewarmed) > 0 {
		p.retirePrewarmedLocked(ReasonEvicted)
	}
	if p.closed || wanted+p.cfg.Prewarmed-len(p.prewarmed) <= 0 {
		return false
	}
	if free > 0 && (wanted > 0 || !p.othersShortLocked()) {
		p.starting++
		return true
	}
	for n := short - max(free, 0); n > 0 && p.evictLocked(); n-- {
	}
	return false
}

// dispatchLocked gives workers to those who wait and may have one that is at hand.
func (p *Pool) dispatchLocked() {
	for p.queue.len() > 0 && !p.closed {
		waiting := p.nextLocked(p.atHandLocked)
		if waiting == nil {
			return
		}
		p.serveLocked(waiting)
	}
}

// serveLocked gives waiting, whose turn it is, a worker that is at hand: an idle one of its function, or a prewarmed one.
func (p *Pool) serveLocked(waiting *waiter) {
	p.queue.take(waiting)
	if w := p.idle.take(waiting.key); w != nil {
		p.handLocked(w, waiting, StartWarm)
		return
	}
	w := p.prewarmed[len(p.prewarmed)-1]
	p.prewarmed = p.prewarmed[:len(p.prewarmed)-1]
	p.handLocked(w, waiting, StartCold)
}

// atHandLocked says whether calls of key can have a worker at once.
func (p *Pool) atHandLocked(key string) bool {
	return (len(p.prewarmed) > 0 || p.idle.has(key)) && !p.heldLocked(key)
}

// startOne starts a worker outside the keeper.
func (p *Pool) startOne(ctx context.Context) error {
	p.mu.Lock()
	p.starting++
	p.mu.Unlock()
	err := p.startClaimed(ctx)
	if err != nil {
		p.forgetStart()
	}
	return err
}

// forgetStart counts a start that has failed no longer.
func (p *Pool) forgetStart() {
	p.mu.Lock()
	p.starting--
	p.mu.Unlock()
}

// startClaimed starts the worker that claimStart counted. One that fails stays counted, until forgetStart.
func (p *Pool) startClaimed(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.StartTimeout)
	defer cancel()
	began := time.Now()
	started, err := p.starter.start(ctx)
	if err != nil {
		p.cfg.Observer.WorkerStartFailed(err)
	} else {
		p.cfg.Observer.WorkerStarted(time.Since(began))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failing.add(err)
	if err != nil {
		return err
	}
	p.starting--
	p.started++
	w := &slot{child: started}
	p.workers[w] = struct{}{}
	p.keeping.Go(func() { p.watch(w) })
	if p.closed {
		p.retireLocked(w, ReasonClosed)
		return nil
	}
	p.prewarmed = append(p.prewarmed, w)
	p.dispatchLocked()
	return nil
}

// watch forgets w when it is dead, whatever it was doing.
func (p *Pool) watch(w *slot) {
	<-w.dead()
	p.mu.Lock()
	delete(p.workers, w)
	if w.key != "" {
		p.unbindLocked(w)
	}
	if w.retired {
		p.retiring--
	}
	p.setBusyLocked(w, false)
	p.setServingLocked(w, false)
	p.setLateLocked(w, false)
	p.idle.remove(w)
	p.prewarmed = slices.DeleteFunc(p.prewarmed, func(other *slot) bool { return other == w })
	for _, other := range p.house.pools {
		other.wakeKeeper() // there is a slot
	}
	p.mu.Unlock()
	p.wakeKeeper()
}

// retireIdle retires the workers that were idle for too long, and the prewarmed ones beyond the reserve, which were started for calls that
// did not wait for them to the end. It returns the time until it is to be asked again.
func (p *Pool) retireIdle() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.prewarmed) > p.cfg.Prewarmed {
		p.retirePrewarmedLocked(ReasonIdle)
	}
	for {
		w := p.idle.oldest()
		if w == nil {
			return p.cfg.IdleTimeout
		}
		if left := p.cfg.IdleTimeout - time.Since(w.lastUsed); left > 0 {
			return left
		}
		p.idle.remove(w)
		p.retireLocked(w, ReasonIdle)
	}
}
