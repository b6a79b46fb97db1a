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

// readyLocked says whether calls can get workers: see Snapshot.Err.
func (s *scheduler) readyLocked() error {
	switch {
	case s.closed:
		return ErrClosed
	case s.failing.count <= toleratedFailures && !s.warmLocked():
		return ErrWarming
	case s.failing.count <= toleratedFailures:
		return nil
	case s.starting == 0 && time.Since(s.failing.last) > failureMemory:
		return nil
	}
	return fmt.Errorf("%w, the last %d have failed: %w", ErrFailing, s.failing.count, s.failing.cause)
}
