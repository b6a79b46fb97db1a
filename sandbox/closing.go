package sandbox

import "context"

// close refuses new calls and those that wait, and says whether it is the first to do so.
func (s *scheduler) close() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.closed = true
	close(s.closing)
	return true
}

// end waits for the calls that run, or until ctx ends, then ends all workers. What it returns is closed when they are
// dead and the goroutines of the scheduler have ended. It comes after close.
func (s *scheduler) end(ctx context.Context) (quiet <-chan struct{}) {
	s.retireUnused()
	cut := context.AfterFunc(ctx, s.retireAll)
	s.calls.Wait()
	cut()
	s.stop()
	s.retireAll()
	ended := make(chan struct{})
	go func() {
		s.keeping.Wait()
		close(ended)
	}()
	return ended
}

// retireUnused ends the workers that serve nobody, and nobody will.
func (s *scheduler) retireUnused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.prewarmed {
		s.retireLocked(w, ReasonClosed)
	}
	for w := s.idle.oldest(); w != nil; w = s.idle.oldest() {
		s.idle.remove(w)
		s.retireLocked(w, ReasonClosed)
	}
	s.prewarmed = nil
}

// retireAll ends all workers, also those that run calls. No call may be waiting.
func (s *scheduler) retireAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.workers {
		s.retireLocked(w, ReasonClosed)
	}
	s.prewarmed, s.idle = nil, idleSet{}
}
