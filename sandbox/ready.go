package sandbox

import (
	"errors"
	"fmt"
	"time"
)

// ErrFailing means that the last starts of workers have failed.
var ErrFailing = errors.New("sandbox: workers do not start")

// ErrWarming means that a new pool has not yet as many workers ready as it keeps, or that its fork server still
// prepares itself, which the next worker waits for. Calls are answered meanwhile.
var ErrWarming = errors.New("sandbox: workers are being prepared")

// warmLocked says whether the pool has once had all workers that it keeps ready, and its starter is prepared for more.
func (s *scheduler) warmLocked() bool {
	if starter, ok := s.starter.(settler); ok && !starter.settled() {
		return false
	}
	return s.started >= s.cfg.Prewarmed || s.freeLocked() <= 0
}

// hasNone says that a call of key would find no worker, and that starts fail or wait, so that it would wait for
// long. That they fail is not said when none was tried lately: the call is what has one tried.
func (s *scheduler) hasNone(key string) bool {
	fail, slow := s.startsFail.Load(), s.slowStarts.Load() > 0
	if !fail && !slow {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.prewarmed) == 0 && (fail && !s.idle.has(key) && !s.failedLongAgoLocked() || slow && s.bound[key] == 0)
}

// failedLongAgoLocked says that no start was tried since the last one that failed, for so long that it says nothing.
func (s *scheduler) failedLongAgoLocked() bool {
	return s.starting == 0 && time.Since(s.failing.last) > failureMemory
}

// readyLocked says whether calls can get workers: see Snapshot.Err.
func (s *scheduler) readyLocked() error {
	switch {
	case s.closed:
		return ErrClosed
	case !s.failing.persist() && !s.warmLocked():
		return ErrWarming
	case !s.failing.persist():
		return nil
	case s.failedLongAgoLocked():
		return nil
	}
	return fmt.Errorf("%w, the last %d have failed: %w", ErrFailing, s.failing.count, s.failing.cause)
}
