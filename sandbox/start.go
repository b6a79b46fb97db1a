package sandbox

import (
	"context"
	"runtime"
	"slices"
	"time"
)

// run starts the first worker and, when it is ready, the scheduler's goroutines.
func (s *scheduler) run(ctx context.Context) error {
	if err := s.startOne(ctx); err != nil {
		return err
	}
	s.runOn() // after the first start, which must not come on top of the keeper's own
	return nil
}

// runOn starts the scheduler's goroutines.
func (s *scheduler) runOn() {
	keeping, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.keeping.Go(func() { s.keep(keeping) })
	s.keeping.Go(func() { s.budget.weighAll(keeping.Done()) })
}

// startsAtOnce is how many processes may be starting at the same time: one more than there are processors, as starts
// wait now and then. More would slow each other down.
func startsAtOnce() int { return max(2, runtime.GOMAXPROCS(0)) + 1 }

// startOne starts a worker outside the keeper.
func (s *scheduler) startOne(ctx context.Context) error {
	s.mu.Lock()
	s.starting++
	s.mu.Unlock()
	err := s.startClaimed(ctx)
	if err != nil {
		s.forgetStart()
	}
	return err
}

// forgetStart counts a start that has failed no longer.
func (s *scheduler) forgetStart() {
	s.mu.Lock()
	s.starting--
	s.mu.Unlock()
}

// startClaimed starts the worker that claimStart counted. One that fails stays counted, until forgetStart.
func (s *scheduler) startClaimed(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.StartTimeout)
	defer cancel()
	if s.cfg.rollback {
		defer s.watchStart()()
	}
	began := time.Now()
	started, err := s.starter.start(ctx)
	took := time.Since(began)
	if err != nil {
		s.cfg.Observer.WorkerStartFailed(err)
	} else {
		s.cfg.Observer.WorkerStarted(took)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing.add(err)
	s.startsFail.Store(s.failing.persist())
	if err != nil {
		return err
	}
	s.budget.spare.took, s.budget.spare.ended = took, began.Add(took)
	s.starting--
	s.started++
	w := &slot{child: started}
	s.workers[w] = struct{}{}
	s.keeping.Go(func() { s.watch(w) })
	if s.closed {
		s.retireLocked(w, ReasonClosed)
		return nil
	}
	s.prewarmed = append(s.prewarmed, w)
	s.dispatchLocked()
	s.wakeOthersLocked() // they may take its slot
	return nil
}

// watch forgets w when it is dead, whatever it was doing.
func (s *scheduler) watch(w *slot) {
	<-w.dead()
	s.mu.Lock()
	delete(s.workers, w)
	if w.key != "" {
		s.unbindLocked(w)
	}
	if w.retired {
		s.retiring--
	}
	s.setBusyLocked(w, false)
	s.setServingLocked(w, false)
	s.setLateLocked(w, false)
	s.endStallLocked(w)
	s.idle.remove(w)
	s.prewarmed = slices.DeleteFunc(s.prewarmed, func(other *slot) bool { return other == w })
	for _, other := range s.budget.schedulers {
		other.wakeKeeper() // there is a slot
	}
	s.mu.Unlock()
	s.wakeKeeper()
}
