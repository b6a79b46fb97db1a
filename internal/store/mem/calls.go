package mem

import (
	"context"
	"fmt"
)

// onLine runs what, which locks the queue itself, unless the store is closed. Its errors begin with the name of the
// operation.
func (s *Store) onLine(ctx context.Context, operation string, what func() error) error {
	s.mu.RLock()
	err := s.usableLocked(ctx)
	s.mu.RUnlock()
	if err == nil {
		err = what()
	}
	if err != nil {
		return fmt.Errorf("memory: %s: %w", operation, err)
	}
	return nil
}
